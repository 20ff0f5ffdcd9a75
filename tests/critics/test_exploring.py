"""Critiques to be rated: diverse, by seed, and the first one is what the critic would say anyway."""

from __future__ import annotations

import pytest

from momus.critics import open_critic
from momus.critics.sampled import SampledCritic, _drawn, open_bundled
from momus.critique import TextMap
from momus.errors import MomusError
from momus.models.bundled import Bundle, open_bundle
from momus.models.dialect import stripped_line
from momus.records import Task

ANSWER = "def total(xs):\n    s = 0\n    for x in xs:\n        s -= x\n    if s < 0:\n        s = 0\n    return s\n"
TASK = Task(id="t", question="Add them up.", answer=ANSWER)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return open_bundle()


def test_after_the_first_every_critique_speaks_though_the_gate_is_silent(bundle: Bundle) -> None:
    critic = SampledCritic(bundle, threshold=2.0, explore=True)
    first, *further = critic.critique([TASK], n=7, seed=1)
    (plain,) = SampledCritic(bundle, threshold=2.0).critique([TASK], seed=1)
    assert first == plain and not first.critique.comments
    assert all(1 <= len(sampled.critique) <= 5 and sampled.error is None for sampled in further)
    assert len({sampled.critique.without_metadata() for sampled in further}) >= 5
    text = TextMap(ANSWER)
    places = set()
    for sampled in further:
        lines = [text.line(comment.highlight.start) for comment in sampled.critique]
        assert len(set(lines)) == len(lines)
        assert all(c.highlight == stripped_line(text, line) for c, line in zip(sampled.critique, lines, strict=True))
        confidences = [comment.confidence or 0 for comment in sampled.critique]
        assert confidences == sorted(confidences, reverse=True)
        places.update(lines)
    assert len(places) >= 3, "it speaks of many lines"
    assert list(critic.critique([TASK], n=7, seed=1)) == [first, *further]


def test_what_is_said_of_a_task_does_not_hang_on_the_others(bundle: Bundle) -> None:
    critic = SampledCritic(bundle, explore=True)
    other = Task(id="o", question="", answer="def f(a):\n    return a + 1\n")
    alone = list(critic.critique([TASK], n=3, seed=4))
    assert [s for s in critic.critique([other, TASK], n=3, seed=4) if s.task_id == "t"] == alone


def test_lines_are_drawn_by_their_confidence() -> None:
    import random

    counts = {1: 0, 2: 0, 3: 0}
    lengths = []
    for seed in range(3000):
        drawn = _drawn({1: 0.6, 2: 0.3, 3: 0.1}, random.Random(seed))
        counts[drawn[0]] += 1
        lengths.append(len(drawn))
    assert counts[1] / 3000 == pytest.approx(0.6, abs=0.04)
    assert counts[3] / 3000 == pytest.approx(0.1, abs=0.03)
    assert lengths.count(1) / 3000 == pytest.approx(0.6, abs=0.04)
    assert _drawn({}, random.Random(0)) == []


def test_a_temperature_of_zero_says_the_same_for_every_seed(bundle: Bundle) -> None:
    critic = SampledCritic(bundle, threshold=0.0, comments=1, drafts=1, temperature=0.0)
    one, two = (next(iter(critic.critique([TASK], seed=seed))) for seed in (1, 2))
    assert one.critique == two.critique
    assert critic.version != SampledCritic(bundle, threshold=0.0, comments=1, drafts=1).version


def test_settings_are_checked() -> None:
    for temperature in (-1.0, float("nan")):
        with pytest.raises(MomusError, match="a temperature is 0 or more"):
            open_bundled(temperature=temperature)
    with pytest.raises(MomusError, match="the critic bundled takes no option 'colour': its options are bundle, "):
        open_critic("bundled", colour=1)
