"""What is nested 100,000 levels deep, in any file or reply that is read, is answered by a sentence."""

from __future__ import annotations

import ast
import contextlib
import io
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from momus.errors import MomusError

LEVELS = 100_000
JSON = b'{"a": ' + b"[" * LEVELS + b"]" * LEVELS + b"}"
TOML = b"a = " + b"[" * LEVELS + b"]" * LEVELS
SOURCE = Path(__file__).parents[1] / "src/momus"
# Run beside what they judge, with the standard library alone; or read what this program itself has just written.
OWN_READERS = ("decode.py", "sandbox/", "bench/", "inputs/trace.py", "inputs/recording.py")


def said(*arguments: str, codes: tuple[int, ...] = (2,)) -> str:
    """What a command line says to this, and that it is a sentence of ours and no defect's."""
    from momus.cli import cli

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(list(arguments), standalone_mode=False)
    except (MomusError, click.ClickException) as error:
        return str(error)
    told = "".join(stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    assert code in codes, told
    return told


def written(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


def code_in(folder: Path) -> str:
    return written(folder, "code/code.py", b"x = 1\n")


def raised(read: Callable[[], object], *kinds: type[Exception]) -> str:
    with pytest.raises(kinds) as told:
        read()
    assert not isinstance(told.value, RecursionError)
    return str(told.value)


def baseline(folder: Path) -> str:
    file = written(folder, "baseline.json", JSON)
    return said("review", code_in(folder), "--critic", "empty", "--isolated", "--baseline", file)


def notebook(folder: Path) -> str:
    return said("review", written(folder, "a.ipynb", JSON), "--critic", "empty", "--isolated")


def project(folder: Path) -> str:
    written(folder, "code/pyproject.toml", b"[tool.momus]\n" + TOML)
    return said("review", code_in(folder), "--critic", "empty")


def settings(folder: Path) -> str:
    written(folder, "code/momus.toml", TOML)
    return said("review", code_in(folder), "--critic", "empty")


def lines_of(verb: str, *more: str) -> Callable[[Path], str]:
    def read(folder: Path) -> str:
        file = written(folder, "lines.jsonl", JSON + b"\n")
        named = [part.replace("FILE", file).replace("OUT", str(folder / "out")) for part in more]
        return said(verb, *named)

    return read


def toml_of(*command: str) -> Callable[[Path], str]:
    return lambda folder: said(*command, written(folder, "run.toml", TOML))


def tokenizer(folder: Path) -> str:
    from momus.corpus.tokenizer import Tokenizer

    return raised(lambda: Tokenizer.load(Path(written(folder, "tokenizer.json", JSON))), MomusError)


def adapter(folder: Path) -> str:
    from momus.models.adapters import read_adapter

    written(folder, "adapter/adapter_config.json", JSON)
    return raised(lambda: read_adapter(folder / "adapter", None), MomusError)  # type: ignore[arg-type]


def gguf_of(folder: Path, metadata: bytes) -> Path:
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    return Path(written(folder, "a.gguf", head + struct.pack("<Q", 1) + b"k" + metadata))


def gguf(folder: Path) -> str:
    from momus.models.gguf_file import read_gguf

    deep = struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * LEVELS + struct.pack("<IQI", 4, 1, 1)
    return raised(lambda: read_gguf(gguf_of(folder, deep)), MomusError)


def chat_template(folder: Path) -> str:
    from momus.models.tokens import Tokens, Vocabulary

    template = "{{ " + "(" * LEVELS + "1" + ")" * LEVELS + " }}"
    read = Vocabulary("qwen2", ("a", "b"), (1, 1), (), template)
    return raised(lambda: Tokens(read).chat([{"role": "user", "content": "a"}]), MomusError)


def calibration(folder: Path) -> str:
    from momus.critics.local.calibration import read

    return raised(lambda: read(Path(written(folder, "calibration.json", JSON))), MomusError)


def reply(content: bytes) -> Callable[[Path], str]:
    def read(folder: Path) -> str:
        from momus.models.chat_replies import read_reply, status_of

        assert status_of(200, content) == 200
        return str(read_reply(content, "the model"))

    return read


def judged(folder: Path) -> str:
    from momus.raters.judge import object_in

    return raised(lambda: object_in(JSON.decode()), ValueError)


def imported(folder: Path) -> str:
    from momus.desk.intake.faults import Fault
    from momus.desk.intake.rows import rows_of

    (found,) = rows_of(io.BytesIO(JSON), "jsonl")
    assert isinstance(found.data, Fault)
    return found.data.said


def archived(folder: Path) -> str:
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    from momus.desk.archive import load_project
    from momus.desk.store.tables import Base

    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        return raised(lambda: load_project(session, "p", [JSON], datetime.now(UTC)), Exception)


def linted(folder: Path) -> str:
    from momus.linters.tools import LINTERS

    return raised(lambda: list(LINTERS["ruff"].read(JSON.decode(), {})), ValueError)


def sheet(folder: Path) -> str:
    from momus.measure.blindspots import load

    written(folder, "blindspots.json", JSON)
    return raised(lambda: load(folder), MomusError)


READERS: dict[str, Callable[[Path], str]] = {
    "baseline": baseline,
    "notebook": notebook,
    "pyproject.toml": project,
    "momus.toml": settings,
    "tasks to criticise": lines_of("critique", "FILE", "-o", "OUT", "--critic", "empty"),
    "bugs to measure on": lines_of("measure", "--on", "FILE", "--critic", "empty"),
    "code to tamper": lines_of("tamper", "FILE", "-o", "OUT"),
    "comparisons to rate": lines_of("rate", "FILE", "-o", "OUT", "--rater", "oracle"),
    "training run": toml_of("train", "corpus", "--config"),
    "study": toml_of("study"),
    "tokenizer": tokenizer,
    "adapter": adapter,
    "GGUF": gguf,
    "chat template": chat_template,
    "calibration": calibration,
    "reply of a server": reply(JSON),
    "reply of a judge": judged,
    "line of an import": imported,
    "archive of a project": archived,
    "report of a linter": linted,
    "card of blind spots": sheet,
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_or_reply_that_is_nested_too_deeply_is_a_sentence(name: str, tmp_path: Path) -> None:
    told = READERS[name](tmp_path)
    assert told and "RecursionError" not in told and "maximum recursion" not in told and "a defect" not in told


CODE = {
    "parentheses": "x = " + "(" * LEVELS + "1" + ")" * LEVELS,
    "lists": "x = " + "[" * LEVELS + "]" * LEVELS,
    "open": "x = " + "[" * LEVELS,
    "attributes": "x = a" + ".a" * LEVELS,
    "calls": "x = a" + "()" * LEVELS,
    "sums": "x = 1" + " + 1" * LEVELS,
    "powers": "x = 1" + " ** 1" * LEVELS,
    "minuses": "x = " + "-" * LEVELS + "1",
    "nots": "x = " + "not " * LEVELS + "1",
    "lambdas": "x = " + "lambda: " * LEVELS + "1",
    "choices": "x = " + "1 if x else " * LEVELS + "1",
    "blocks": "\n".join(" " * level + "if x:" for level in range(1_500)) + " pass",
    "elifs": "if x:\n pass\n" + "elif x:\n pass\n" * 20_000,
    "f-strings": 'x = f"' + "{f'" * 2_000,
}


@pytest.mark.parametrize("code", CODE)
def test_code_that_is_nested_too_deeply_is_a_sentence(code: str, tmp_path: Path) -> None:
    file = written(tmp_path, "a.py", CODE[code].encode())
    told = said("review", file, "--critic", "examples", "--isolated")
    assert "not reviewed" in told and "RecursionError" not in told and "a defect" not in told
    told = said("review", file, "--critic", "surprisal", "--isolated", "--max-findings", "1", codes=(0, 1, 2))
    assert "does not parse this" in told or "not reviewed" in told


@pytest.mark.parametrize("levels", [200, 600])
@pytest.mark.parametrize("critic", ["local", "bundled", "examples", "surprisal", "linter:ruff"])
def test_code_that_is_nested_almost_too_deeply_is_reviewed_or_refused(
    critic: str, levels: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """It parses, and what walks its tree may come to an end."""
    if critic == "local":
        critic = f"local:{request.getfixturevalue('smollm2')}"
    code = f'def f(a):\n    """Add.\n\n    >>> f(1)\n    {levels}\n    """\n    return a{" + a" * levels}\n'
    told = said("review", written(tmp_path, "a.py", code.encode()), "--critic", critic, "--isolated", codes=(0, 1, 2))
    assert "RecursionError" not in told and "maximum recursion" not in told and "a defect" not in told


def test_json_and_toml_are_read_in_one_place() -> None:
    """Any other call would end in a RecursionError, of which its module knows nothing."""
    others = []
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith(OWN_READERS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                called = f"{node.value.id}.{node.attr}"
                if called in ("json.load", "json.loads", "tomllib.load", "tomllib.loads", "answer.json"):
                    others.append(f"{name}:{node.lineno}")
    assert others == []
