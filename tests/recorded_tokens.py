"""Functions of the standard library and what llama.cpp's tokenizer made of them, recorded as digests.

    python tests/recorded_tokens.py MODEL FILE.gguf     MODEL as in the catalogue; needs xllamacpp

writes `tests/models/recorded/MODEL.txt`: a line for each function, the digest of its text and that of its tokens. The
publishers' own tokenizer files are in no package, so the record is llama.cpp's: another implementation, in another
language, of the tokenizer that the publisher's GGUF names. The standard library differs from one Python to the next;
compared are the functions whose text is the one recorded.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import sysconfig
import textwrap
import unicodedata
import urllib.request
from collections.abc import Sequence
from pathlib import Path

RECORDED = Path(__file__).parent / "models" / "recorded"
MODULES = """
_pydecimal argparse ast asyncio/base_events asyncio/events asyncio/streams asyncio/tasks bdb calendar cmd code codecs
collections/__init__ configparser contextlib copy csv dataclasses difflib dis doctest email/message email/utils enum
fileinput fractions ftplib functools gettext gzip heapq html/parser http/client http/cookiejar http/server imaplib
inspect ipaddress json/decoder json/encoder locale logging/__init__ logging/handlers mailbox mimetypes optparse os pdb
pickle pickletools platform plistlib poplib posixpath pprint profile pstats pydoc queue random re/_parser sched
selectors shelve shlex shutil smtplib socket socketserver ssl statistics string subprocess tarfile tempfile textwrap
threading timeit tokenize trace traceback turtle typing unittest/case unittest/mock urllib/parse urllib/request uuid
warnings wave weakref xml/dom/minidom zipfile
"""
MOST = 2500


def functions() -> list[str]:
    """The text of functions of the standard library, in order of their modules, composed (NFC)."""
    found: dict[str, None] = {}
    for module in MODULES.split():
        path = Path(sysconfig.get_path("stdlib")) / f"{module}.py"
        if not path.is_file():
            continue  # not in this version
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines(keepends=True)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                text = textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno]))
                if 150 < len(text) < 2500 and unicodedata.is_normalized("NFC", text):
                    found[text] = None
    return list(found)


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


def of_tokens(ids: Sequence[int], offsets: Sequence[tuple[int, int]]) -> str:
    return digest([list(ids), [list(pair) for pair in offsets]])


def recorded(model: str) -> dict[str, str]:
    """Digest of a function's text -> digest of its tokens."""
    lines = (RECORDED / f"{model}.txt").read_text(encoding="ascii").splitlines()
    return dict(line.split() for line in lines)


def offsets_of(text: str, pieces: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where pieces that together are a text stand in it, in code points; a part of a character stands for all of it."""
    at_byte = [at for at, character in enumerate(text) for _ in character.encode()]
    assert b"".join(pieces) == text.encode()
    found, start = [], 0
    for piece in pieces:
        found.append((at_byte[start], at_byte[start + len(piece) - 1] + 1))
        start += len(piece)
    return found


def record(model: str, weights: Path) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.warmup, params.cpuparams.n_threads = 256, False, 1
    server = xllamacpp.Server(params)
    lines = []
    for text in functions()[:MOST]:
        asked = {"content": text, "add_special": False, "parse_special": False, "with_pieces": True}
        request = urllib.request.Request(
            f"{server.listening_address}/tokenize", json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            tokens = json.load(answer)["tokens"]
        pieces = [t["piece"].encode() if isinstance(t["piece"], str) else bytes(t["piece"]) for t in tokens]
        lines.append(f"{digest(text)} {of_tokens([t['id'] for t in tokens], offsets_of(text, pieces))}\n")
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / f"{model}.txt").write_text("".join(lines), encoding="ascii")
    print(len(lines), "functions of Python", sys.version.split()[0])


if __name__ == "__main__":
    record(sys.argv[1], Path(sys.argv[2]))
