"""What all formats have in common: any review can be written, by name, without importing what is not used."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from report_builders import plain_report, reports

from momus.review.finding import Report
from momus.review.output import FORMATS, Options
from momus.review.output.visible import visible

PEOPLE = ("text", "concise", "markdown", "html", "junit", "github")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_any_review_can_be_written_and_nothing_hidden_reaches_people(report: Report) -> None:
    for name, render in FORMATS.items():
        written = render(report, Options())
        assert written.endswith("\n")
        written.encode("utf-8")
        if name in PEOPLE:
            assert visible(written) == written, name


@pytest.mark.parametrize("name", FORMATS)
def test_a_review_of_nothing_can_be_written(name: str) -> None:
    assert FORMATS[name](Report(), Options()).strip()


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_not_reviewed_is_said(name: str) -> None:
    written = FORMATS[name](plain_report(), Options())
    assert "It is not UTF-8" in written
    assert "broken.py" in written


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_review_is_written_the_same_way(name: str) -> None:
    assert FORMATS[name](plain_report(), Options()) == FORMATS[name](plain_report(), Options())


def test_naming_the_formats_imports_none_of_them() -> None:
    code = (
        "import sys, momus.review.output as o; list(o.FORMATS); "
        "print([m for m in sys.modules if m.startswith(('rich', 'pydantic', 'numpy', 'momus.review.output.'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class AsciiPipe(io.StringIO):
    encoding = "ascii"


def test_colours_are_for_terminals_and_no_color_wins() -> None:
    assert Options.for_stream(Terminal(), {}).colour
    assert not Options.for_stream(Terminal(), {"NO_COLOR": "1"}).colour
    assert Options.for_stream(Terminal(), {"NO_COLOR": ""}).colour
    assert not Options.for_stream(Terminal(), {"TERM": "dumb"}).colour
    assert not Options.for_stream(AsciiPipe(), {}).colour
    assert Options.for_stream(AsciiPipe(), {"FORCE_COLOR": "1"}).colour
    assert not Options.for_stream(AsciiPipe(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}).colour


def test_a_stream_that_knows_ascii_only_gets_ascii() -> None:
    options = Options.for_stream(AsciiPipe(), {})
    assert options.ascii
    FORMATS["text"](plain_report(), options).encode("ascii")


def test_ci_services_name_their_workspace_and_summary() -> None:
    options = Options.for_stream(AsciiPipe(), {"GITHUB_WORKSPACE": "/w", "GITHUB_STEP_SUMMARY": "/s"})
    assert (options.workspace, options.step_summary) == ("/w", Path("/s"))
    assert Options.for_stream(AsciiPipe(), {"CI_PROJECT_DIR": "/p"}).workspace == "/p"
