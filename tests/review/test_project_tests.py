"""`momus review --project-tests`: what the project's own tests call is an input, only where a person asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from momus.badges import Evidence
from momus.critique import Comment, Critique, Span
from momus.records import Sampled, Task
from momus.review.config import Config, ConfigError
from momus.review.project_tests import ProjectTests, imports, is_test, modules_of
from momus.review.run import review

CODE = "def price(order):\n    return order.get('fee', 0) if order['kind'] == 'express' else 1\n"
TESTS = "from shop.core import price\n\ndef test_price():\n    assert price({'kind': 'express', 'fee': 5}) == 5\n"


class Suggests:
    """Says that the fee is given by another key."""

    name = "suggests"
    cut = "unit"
    version = "1"
    runs = True

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        for task in tasks:
            at = task.answer.find("'fee'")
            found = (Comment(Span(at, at + 5), "Another key.", suggestion="'price'"),) if at >= 0 else ()
            yield Sampled(task_id=task.id, critic=self.name, critique=Critique(found))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src/shop").mkdir(parents=True)
    (tmp_path / "src/shop/__init__.py").write_text("")
    (tmp_path / "src/shop/core.py").write_text(CODE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_core.py").write_text(TESTS)
    return tmp_path


def evidence(folder: Path, **options: object) -> Evidence | None:
    config = Config(options={"prove": True, **options}, environment={"HOME": str(folder / "home")})
    [found] = review([folder / "src/shop/core.py"], critic=Suggests(), config=config, root=folder)
    return found.comment.evidence


def test_what_a_test_calls_separates_the_two(project: Path) -> None:
    without = evidence(project)
    assert without is not None and without.badge != "differs"
    found = evidence(project, project_tests=True)
    assert found is not None and found.badge == "differs"
    assert "price({'kind': 'express'" in found.call
    assert sorted(path.name for path in (project / "tests").iterdir()) == ["test_core.py"]


def test_a_repository_cannot_turn_it_on(project: Path) -> None:
    (project / "momus.toml").write_text("project-tests = true\n")
    with pytest.raises(ConfigError, match="project-tests"):
        evidence(project)


def test_tests_that_import_the_file_are_found_by_name_and_import(project: Path) -> None:
    files = {"src/shop/__init__.py": "", "src/shop/core.py": CODE}
    modules = modules_of("src/shop/core.py", files)
    assert {"shop.core", "src.shop.core"} <= modules
    for text in ("import shop.core\n", "from shop import core\n", "from shop.core import price\n"):
        assert imports(text, "tests/test_core.py", modules)
    assert imports("from .core import price\n", "src/shop/test_core.py", modules)
    assert not imports("import shop.other\n", "tests/test_core.py", modules)
    assert not imports("not python(", "tests/test_core.py", modules)
    assert is_test("tests/test_core.py") and is_test("core_test.py") and not is_test("tests/helper.py")
    task = Task(id="t", question="", answer=CODE, source="src/shop/core.py:price")
    assert ProjectTests(project)(task) == ()  # code that stands in no file has no tests
