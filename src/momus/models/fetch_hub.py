"""Weights from the Hugging Face hub, and from what its library has cached before.

The library says where a file is, which token to send, whether it may be asked at all (`HF_ENDPOINT`, `HF_HOME`,
`HF_TOKEN`, `HF_HUB_OFFLINE`) and gives the connection. The file is read here: a hub that can't be reached costs five
seconds once, where the library's own download retries for minutes, and a stopped file goes on where it stopped.
"""

from __future__ import annotations

import os
import queue
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from momus import __version__
from momus.models.catalogue import CatalogueModel
from momus.models.source import NotPublished, SourceFailed, Watch, check_room

if TYPE_CHECKING:
    import httpx2

_ANSWER_S = 5.0  # for the first answer: name, connection, redirects and all
_READ_S = 30.0  # without a byte, once it has answered
_CONNECTIONS = 20  # as long as each one brings something


def hub_label() -> str:
    """How the hub that is asked is shown."""
    from huggingface_hub import constants

    return f"Hugging Face hub ({constants.ENDPOINT})"


def fetch_hub_cache(model: CatalogueModel, partial: Path, watch: Watch) -> None:
    """Take the file from the cache of the hub's library, as a second name for the same bytes where the disk allows it.

    Raises SourceFailed where it is not there, and OSError.
    """
    from huggingface_hub import try_to_load_from_cache

    for revision in _revisions(model):
        found = try_to_load_from_cache(model.repository, model.file, revision=revision) if model.repository else None
        if isinstance(found, str) and model.size in (0, Path(found).stat().st_size):
            partial.unlink(missing_ok=True)  # it may be a second name: never write into it
            try:
                partial.hardlink_to(Path(found).resolve())
            except OSError:
                shutil.copyfile(found, partial)
            return
    raise SourceFailed("it is not there")


def fetch_hub(model: CatalogueModel, partial: Path, watch: Watch) -> None:
    """Read the file from the hub, going on from what the partial file holds.

    Raises SourceFailed where the hub can't be reached, NotPublished where it has another file, and OSError.
    """
    from huggingface_hub import constants, hf_hub_url

    if not model.repository:
        raise SourceFailed("it was not published there")
    if constants.is_offline_mode():
        raise SourceFailed("not asked, since HF_HUB_OFFLINE is set")
    urls = [hf_hub_url(model.repository, model.file, revision=revision) for revision in _revisions(model)]
    with partial.open("r+b" if partial.exists() else "w+b") as out:
        start = out.seek(0, os.SEEK_END)
        if model.size and start > model.size:
            out.truncate(0)
        for _ in range(_CONNECTIONS):
            start = out.seek(0, os.SEEK_END)
            if model.size and start == model.size:
                return
            if _read(urls, out, model, watch):
                return
            if out.tell() <= start:
                break
        raise SourceFailed(f"the connection was lost after {out.tell():,} bytes, which are kept: ask again to go on")


def _revisions(model: CatalogueModel) -> list[str]:
    """The revision that is known to hold the file, and the newest one: the digest decides."""
    return [*([model.revision] if model.revision else []), "main"]


def _read(urls: list[str], out: BinaryIO, model: CatalogueModel, watch: Watch) -> bool:
    """Append to `out`, which stands at its end, what the first URL that exists gives. Returns whether that is all."""
    import httpx2

    start = out.tell()
    response = _answer(urls, start)
    try:
        if response.status_code != 206:
            out.truncate(0)
            start = out.seek(0)
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else 0
        if model.size and total and total != model.size:
            raise NotPublished(f"its file has {total:,} bytes where the published one has {model.size:,}")
        if not model.size:
            check_room(Path(out.name).parent, model.name, total - start)
        for block in response.iter_raw():
            if model.size and out.tell() + len(block) > model.size:
                raise NotPublished("it gives more than the published file has")
            out.write(block)
            watch.at("Hugging Face hub", out.tell(), model.size or total)
    except httpx2.HTTPError:
        return False
    finally:
        response.close()
    return True


def _answer(urls: list[str], start: int) -> httpx2.Response:
    """The first response that is no 404, its body not yet read. Raises SourceFailed."""
    for url in urls:
        response = _asked(url, start)
        if response.status_code == 416:  # what is kept does not fit what is there: from the beginning
            response.close()
            response = _asked(url, 0)
        if response.status_code in (200, 206):
            return response
        response.close()
        if response.status_code != 404:
            break
    status = response.status_code
    if status in (401, 403):
        raise SourceFailed(f"it answered {status}: the repository is not there, or wants a token (HF_TOKEN)")
    raise SourceFailed(f"it answered {status} to {url}")


def _asked(url: str, start: int) -> httpx2.Response:
    """Ask for the file from byte `start` on. Waits five seconds for an answer, whatever it is that hangs."""
    import httpx2
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented, and not in __all__

    own = build_hf_headers(library_name="momus", library_version=__version__)
    headers = {**own, "Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    client = get_session()
    timeout = httpx2.Timeout(_ANSWER_S, read=_READ_S)
    request = client.build_request("GET", url, headers=headers, timeout=timeout)
    answers: queue.SimpleQueue[httpx2.Response | Exception] = queue.SimpleQueue()
    given_up = threading.Event()

    def ask() -> None:
        try:
            response = client.send(request, stream=True)
        except Exception as error:
            answers.put(error)
        else:
            answers.put(response)
            if given_up.is_set():
                response.close()

    # A name that does not resolve has no timeout of its own, so that the wait is here and not in the connection.
    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=_ANSWER_S)
    except queue.Empty:
        given_up.set()
        raise SourceFailed(f"it did not answer within {_ANSWER_S:.0f} s") from None
    if isinstance(answer, Exception):
        raise SourceFailed(f"it can't be reached: {answer}") from None
    return answer
