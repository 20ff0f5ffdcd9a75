"""llama.cpp's own server on loopback, inside this process, over a small real model."""

from __future__ import annotations

import socket
from functools import cache
from pathlib import Path

import xllamacpp


@cache
def llama_served(weights: Path, context: int = 4096) -> tuple[xllamacpp.Server, str]:
    """A running server of this process, and its address, http://127.0.0.1:PORT."""
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.n_parallel = context, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity = 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        params.port = free.getsockname()[1]
    server = xllamacpp.Server(params)
    return server, f"http://127.0.0.1:{params.port}"
