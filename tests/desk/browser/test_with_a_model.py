"""The desk with the bundled model as its critic, on the pages that ask it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from desk_browser import ANSWER, PLACE, Served, Visit, task

CRITIQUES = 3


@pytest.fixture(scope="module")
def with_a_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served.open(tmp_path_factory.mktemp("desk"), critic="bundled")
    yield made
    made.stop()


@pytest.fixture
def at(chromium: object, with_a_model: Served, request: pytest.FixtureRequest) -> Iterator[Visit]:
    made = Visit(chromium, with_a_model, request.node.name)
    yield made
    made.close()


def line_of(answer: str, place: dict[str, int]) -> int:
    return answer[: place["start"]].count("\n") + 1


# The shipped model finds the bug after the one and not after the other; the test holds whatever it says.
@pytest.mark.parametrize("question", ["The sum of a list.", "Write total."], ids=["said", "unsaid"])
def test_a_tamper_is_tried_on_the_model_and_the_page_says_what_it_missed(
    at: Visit, with_a_model: Served, question: str
) -> None:
    served = with_a_model
    slug = served.project()
    served.load(slug, "tamper", [task(served.projects).model_copy(update={"question": question})])
    results: list[Any] = []
    page = at.page("ann")
    page.on("response", lambda r: results.append(r.json()) if "/api/v1/jobs/" in r.url else None)
    page.goto(f"{served.base}/p/{slug}/work/tamper")
    page.locator(".cm-line", has_text="s = 0").click()
    page.keyboard.press("End")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.type("1")
    page.locator(".left .cm-line", has_text="s = 1").click(click_count=3)
    page.click("button:has-text('Describe a bug here')")
    page.fill("[data-bug='0'] textarea", "The sum begins at one: total([]) is 1.")
    page.click("button:has-text('Ask the critic')")
    page.wait_for_selector(".tries", timeout=240_000)
    result = results[-1]["result"]
    tries = page.locator(".tries .critique")
    assert tries.count() == len(result["critiques"]) == CRITIQUES
    assert not any(one["failed"] for one in result["critiques"])
    bug = line_of(ANSWER, PLACE)
    missed = []
    for i, one in enumerate(result["critiques"]):
        lines = [line_of(ANSWER, comment["highlight"]) for comment in one["comments"]]
        missed.append(bug not in lines)  # in so short a function a comment is on one line
        assert tries.nth(i).locator(".verdict").inner_text() == ("missed" if missed[-1] else "found")
        assert tries.nth(i).locator(".comment").count() == len(lines)
    says = "met" if any(missed) else "not met, the critic found it each time"
    page.wait_for_selector(f".checks li:has-text('Missed at least once: {says}')")
    at.shot(page, f"tamper-model-{'found' if not any(missed) else 'missed'}")
    page.click(".seat-bar button.main")
    page.wait_for_selector("h1:has-text('There is nothing left')")
    made = served.stored("tamper")
    assert made["missed"] == {"missed": [sum(missed)], "of": CRITIQUES, "critic": "bundled"}


def test_a_review_by_the_model_moves_with_the_dial(at: Visit, with_a_model: Served) -> None:
    slug = with_a_model.project()
    page = at.open("ann", f"/p/{slug}/review")
    page.fill("label:has-text('Code') textarea", ANSWER)
    page.fill("label:has-text('What it should do') textarea", "The sum of a list.")
    page.click("button.main")
    page.wait_for_selector(".seat-bar:has-text('shown')", timeout=240_000)
    all_of_them = page.locator("[data-finding]").count()
    page.wait_for_selector(f".seat-bar:has-text('{all_of_them} shown, 0 hidden')")
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    page.wait_for_selector(f".seat-bar:has-text('0 shown, {all_of_them} hidden')")
    at.shot(page, "review-model")
