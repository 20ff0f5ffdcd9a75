"""The pages of docs/: what they show runs, parses and exists, and what they list is all there is."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from models_table import with_catalogue
from operators_table import with_table

from momus import records
from momus.cli import cli
from momus.critics import open_critic
from momus.critique import CATEGORIES, parse, render
from momus.match import code_key, judge
from momus.measure import load_bugs, measure, small_bugs
from momus.measure.table import columns
from momus.review.config import Config, Settings
from momus.review.output import FORMATS
from momus.sandbox import Status, why_not
from momus.train.config import TrainConfig, load_config

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
SHOWN = [*PAGES, ROOT / "README.md", ROOT / "examples" / "README.md"]
_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced example: the page it stands on, the words behind its fence, and what is in it."""

    page: Path
    info: str
    body: str

    @property
    def name(self) -> str:
        return f"{self.page.name}: {self.body.splitlines()[0][:60]}"


def blocks(info: str, pages: list[Path] = PAGES) -> list[Block]:
    found = [
        Block(page, match["info"].strip(), match["body"])
        for page in pages
        for match in _FENCE.finditer(page.read_text(encoding="utf-8"))
    ]
    return [block for block in found if block.info == info]


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("block", [*blocks("python"), *blocks("python sandbox")], ids=lambda block: block.name)
def test_python_examples_run(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if block.info.endswith("sandbox") and why_not() is not None and os.environ.get("CI") != "true":
        pytest.skip(f"the example runs code in the sandbox: {why_not()}")
    monkeypatch.chdir(tmp_path)
    exec(compile(block.body, str(block.page), "exec"), {"__name__": "example"})


@pytest.mark.parametrize("block", blocks("markdown critique"), ids=lambda block: block.name)
def test_critique_examples_are_written_as_momus_writes_them(block: Block) -> None:
    (answer,) = blocks("python answer", [block.page])
    parsed = parse(block.body, answer.body)
    assert len(parsed.critique) >= 2 and not parsed.unanchored and not parsed.preamble
    assert render(parsed.critique, answer.body) == block.body
    ast.parse(answer.body)


KINDS = ["Task", "Tamper", "Sampled", "Comparison", "Rating", "Ranking", "Choice", "Pair", "Prefilled"]


@pytest.mark.parametrize("kind", KINDS)
def test_record_examples_are_records(kind: str) -> None:
    (block,) = blocks(f"json {kind}")
    record = records.read_line(block.body, getattr(records, kind), block.page.name)
    assert json.loads(records.dump_line(record)) == json.loads(block.body), "written with a field at its default"
    if isinstance(record, records.Tamper):
        (bug,) = record.bugs
        assert code_key(_undone(record)) == code_key(record.twin) != code_key(record.task.answer)
        sampled = records.read_line(blocks("json Sampled")[0].body, records.Sampled, block.page.name)
        assert sampled.task_id == record.task.id
        assert judge(sampled.critique.comments[0], bug, record.task.answer, record.twin).fix


def _undone(tamper: records.Tamper) -> str:
    (bug,) = tamper.bugs
    span = bug.spans[0]
    return tamper.task.answer[: span.start] + (bug.suggestion or "") + tamper.task.answer[span.end :]


def test_the_development_form_example_is_read_as_the_tamper_beside_it(tmp_path: Path) -> None:
    (block,) = blocks("json development")
    line = tmp_path / "bugs.jsonl"
    line.write_text(json.dumps(json.loads(block.body)) + "\n", encoding="utf-8")
    (loaded,) = load_bugs(line, small_fix=True)
    stated = records.read_line(blocks("json Tamper")[0].body, records.Tamper, block.page.name)
    assert (loaded.task.answer, loaded.twin, loaded.task.group) == (stated.task.answer, stated.twin, stated.task.group)
    assert (loaded.bugs[0].spans, loaded.bugs[0].suggestion) == (stated.bugs[0].spans, stated.bugs[0].suggestion)


def commands() -> list[tuple[str, list[str]]]:
    """Every `momus` command line on a page, without shell redirections."""
    found = []
    for block in blocks("sh", SHOWN):
        for line in block.body.splitlines():
            words = shlex.split(line, comments=True)
            if "momus" in words and words[0] in ("momus", "torchrun"):
                words = words[words.index("momus") + 1 :]
                cut = next((i for i, word in enumerate(words) if word in ("<", ">", "|", "&&", ";")), len(words))
                found.append((f"{block.page.name}: {line}", words[:cut]))
    return found


@pytest.mark.parametrize(("shown", "words"), commands(), ids=[shown for shown, _ in commands()])
def test_command_lines_are_understood(shown: str, words: list[str]) -> None:
    group: click.Command = cli
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        command = group.get_command(click.Context(group), words[0])
        assert command is not None, f"momus knows no {words[0]}"
        group, words = command, words[1:]
    try:
        group.make_context(shown, list(words))
    except click.exceptions.Exit:  # --help
        assert "--help" in words


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, heading = target.partition("#")
        if file.startswith(("http://", "https://")) or "bundle/" in file:  # the bundle is made by training
            continue
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{path.name} links to {target}"
        if heading:
            titles = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_the_table_of_operators_is_the_code_s() -> None:
    assert page("tamper.md") == with_table(page("tamper.md")), "run: python tests/docs/operators_table.py"


def test_the_table_of_models_is_the_catalogue_s() -> None:
    assert page("models.md") == with_catalogue(page("models.md")), "run: python tests/docs/models_table.py"


def test_the_categories_and_formats_are_all_listed() -> None:
    assert listed("format.md", "categories") == list(CATEGORIES)
    assert set(listed("review.md", "formats")) == set(FORMATS)


def test_every_field_of_every_record_is_named() -> None:
    text = page("format.md")
    every = [records.Surroundings, *records.Record.__subclasses__()]
    kinds = [kind for kind in every if kind.__module__ == records.__name__]
    missing = [
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name in kind.model_fields
        if f"`{name}`" not in text and f'"{name}"' not in text
    ]
    assert not missing


def listed(name: str, mark: str) -> list[str]:
    """The words in backticks between two marks of a page."""
    (between,) = re.findall(rf"<!-- {mark} -->(.*?)<!-- /{mark} -->", page(name), re.DOTALL)
    return re.findall(r"`([^`]+)`", between)


def test_the_example_settings_are_read_and_name_every_key(tmp_path: Path) -> None:
    (block,) = blocks("toml settings")
    (tmp_path / "pyproject.toml").write_text(block.body, encoding="utf-8")
    settings = Config(environment={"HOME": str(tmp_path / "home")}).near(tmp_path)
    assert settings.as_dict() == tomllib.loads(block.body)["tool"]["momus"]
    stated = re.findall(r"^([\w-]+) = .*# .*default: (\S+)$", block.body, re.MULTILINE)
    assert {key: tomllib.loads(f"value = {default}")["value"] for key, default in stated} == Settings().as_dict()


def test_the_sizes_of_the_bundled_config_are_the_file_s() -> None:
    (block,) = blocks("toml bundled")
    stated = tomllib.loads(block.body)["model"]
    config = load_config(ROOT / "configs" / "bundled.toml").model_dump()
    assert stated.items() <= config["model"].items()


def test_every_key_of_a_training_config_is_explained() -> None:
    text = page("training.md")
    assert not [key for key in _keys(TrainConfig) if f"`{key}`" not in text and f"`[{key}]`" not in text]


def _keys(model: type) -> Iterator[str]:
    for name, field in model.model_fields.items():  # type: ignore[attr-defined]
        if hasattr(field.annotation, "model_fields"):
            yield from _keys(field.annotation)
        else:
            yield name


def test_every_way_a_run_ends_and_every_column_is_explained() -> None:
    assert not [status for status in Status.__args__ if f"| `{status}` |" not in page("sandbox.md")]
    bugs = small_bugs()
    several = [bugs[0].model_copy(update={"bugs": bugs[0].bugs * 2}), *bugs[1:]]
    critics = [open_critic("everything"), open_critic("random")]
    results = measure(critics, several, [bug.task for bug in bugs], draws=10)
    shown = [column.header for column in columns(results)]
    assert len(shown) > 10
    text = page("measure.md")
    assert not [header for header in shown if header not in text]


def test_imports_point_up_the_list_of_rooms() -> None:
    (block,) = blocks("rooms")
    order = [line.split()[0] for line in block.body.splitlines()]
    source = ROOT / "src" / "momus"
    present = {path.stem for path in source.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert set(order) == present - {"__init__", "__main__", "bundle"}
    wrong = [
        f"{path.relative_to(source)} imports momus.{other}"
        for room in order
        for path in ([source / f"{room}.py"] if (source / f"{room}.py").exists() else (source / room).rglob("*.py"))
        for other in _rooms_imported(path, order)
        if order.index(other) > order.index(room)
    ]
    assert not wrong


def _rooms_imported(path: Path, rooms: list[str]) -> set[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("momus.") and name.split(".")[1] in rooms}
