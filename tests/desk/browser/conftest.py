"""A desk as it is started, with people and work in it, and one Chromium for all tests of these pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from desk_browser import Served, Visit

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",  # what is shown is our own, and CI runs as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    path = os.environ.get("MOMUS_CHROMIUM") or (CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium"))
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed, and in CI nothing is skipped: see .ci/needs")
        pytest.skip("the desk's pages are tested in Chromium: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served.open(tmp_path_factory.mktemp("desk"))
    yield made
    made.stop()


@pytest.fixture
def visit(chromium: object, served: Served, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Opens pages as somebody; at the end no page may have asked for anything from elsewhere, or been refused a
    script."""
    made = Visit(chromium, served, request.node.name)
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Keep what was seen when a test failed, beside the other pictures."""
    report = yield
    if report.failed and report.when == "call":
        for made in getattr(item, "funcargs", {}).values():
            if isinstance(made, Visit):
                made.shot_all(f"failed-{item.name}")
    return report


@pytest.fixture(scope="session")
def axe(frontend: Path) -> str:
    """The accessibility checker's script."""
    return (frontend / "node_modules/axe-core/axe.min.js").read_text()
