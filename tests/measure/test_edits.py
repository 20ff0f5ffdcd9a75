"""What became of a draft's comments."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import TWIN

from momus.critique import Comment, Critique, Span
from momus.measure.edits import Edits, drafts_and_finals, edits, shares
from momus.records import Sampled


def on(quote: str, text: str, **more: str) -> Comment:
    start = TWIN.index(quote)
    return Comment(Span(start, start + len(quote)), text, **more)  # type: ignore[arg-type]


LOOP = on("for i in range(len(xs)):", "The loop runs one past the end of the list.")
SUM = on("s += xs[i]", "The sum overflows.")
ZERO = on("s = 0", "The start should be the first item.")


def test_kept_edited_dropped_and_added() -> None:
    shorter = replace(LOOP, text="One past the end.")
    final = Critique((SUM, shorter, on("return s", "Nothing is returned for None.")))
    assert edits(Critique((LOOP, SUM, ZERO)), final, TWIN) == Edits(kept=1, edited=1, dropped=1, added=1)


def test_a_comment_moved_with_its_text_is_edited_and_another_text_elsewhere_is_not() -> None:
    moved = replace(LOOP, highlight=on("return s", "x").highlight)
    assert edits(Critique((LOOP,)), Critique((moved,)), TWIN) == Edits(edited=1)
    assert edits(Critique((LOOP,)), Critique((on("return s", "Unused."),)), TWIN) == Edits(dropped=1, added=1)


def test_repeating_a_kept_comment_adds_the_copies() -> None:
    assert edits(Critique((LOOP,)), Critique((LOOP,) * 10), TWIN) == Edits(kept=1, added=9)


def test_confidence_is_no_edit_and_severity_is() -> None:
    assert edits(Critique((replace(LOOP, confidence=0.5),)), Critique((LOOP,)), TWIN) == Edits(kept=1)
    assert edits(Critique((LOOP,)), Critique((replace(LOOP, severity="high"),)), TWIN) == Edits(edited=1)


@given(
    st.lists(st.sampled_from([LOOP, SUM, ZERO]), max_size=4), st.lists(st.sampled_from([LOOP, SUM, ZERO]), max_size=4)
)
def test_every_comment_is_in_one_count(draft: list[Comment], final: list[Comment]) -> None:
    done = edits(Critique(tuple(draft)), Critique(tuple(final)), TWIN)
    assert done.drafted == len(draft)
    assert done.kept + done.edited + done.added == len(final)
    assert edits(Critique(tuple(draft)), Critique(tuple(draft)), TWIN) == Edits(kept=len(draft))


def test_teams_are_paired_with_the_draft_they_began_with() -> None:
    said = [
        Sampled(task_id="t", critic="bundled", critique=Critique((LOOP,))),
        Sampled(task_id="t", critic="human+bundled", critique=Critique()),
        Sampled(task_id="u", critic="human+bundled", critique=Critique()),
        Sampled(task_id="t", critic="human", critique=Critique()),
    ]
    ((draft, final),) = drafts_and_finals(said)
    assert (draft.critic, final.critic, final.task_id) == ("bundled", "human+bundled", "t")


def test_shares_are_of_drafted_comments() -> None:
    figures = shares([Edits(kept=2, dropped=2), Edits(edited=1, added=3), Edits(dropped=1)], ["a", "b", "c"])
    assert figures["kept %"].mean == pytest.approx(2 / 6)
    assert figures["dropped %"].mean == pytest.approx(3 / 6)
    assert (figures["added"].mean, figures["added"].n) == (1.0, 3)
