"""The critic with search: gated, windowed, dialled, and its comments back at their places."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any

import pytest

from momus.critics import open_critic
from momus.critics.fsbs import SearchSettings, select
from momus.critics.searched import SearchedCritic
from momus.critics.trivial import acting_lines
from momus.critique import TextMap, parse, render
from momus.errors import MomusError
from momus.models.bundled import Bundle
from momus.models.dialect import stripped_line
from momus.records import Sampled, Task
from tiny_reward import TinyReward
from tiny_run import TinyRun

# The tiny model hardly ever ends a critique by itself.
SHORT = SearchSettings(n=3, rounds=2, mode="momus", max_tokens=16)


@pytest.fixture(scope="module")
def bundle(tiny_reward: TinyReward) -> Bundle:
    return tiny_reward.opened("onnx")


def critic(bundle: Bundle, **options: Any) -> SearchedCritic:
    return SearchedCritic(bundle, **{"settings": SHORT, "threshold": 0.0, "modifier": 5.0, **options})


def one(writer: SearchedCritic, answer: str, seed: int = 0) -> Sampled:
    (sampled,) = writer.critique([Task(id="t", question="Do it.", answer=answer)], seed=seed)
    return sampled


CODE = (
    '    import os\n    @cached\n    def f(x):\n        """Doc."""\n        # why\n        y = x + 1\n        return y'
)


def test_comments_stand_on_whole_lines_that_do_something_with_the_gate_s_confidence(bundle: Bundle) -> None:
    for answer in (CODE, textwrap.indent(CODE, "\t"), CODE.replace("\n", "\r\n")):
        text = TextMap(answer)
        writer = critic(bundle)
        sampled = one(writer, answer)
        assert sampled.error is None and sampled.critic == "bundled+fsbs" and sampled.score is not None
        assert sampled.logprob is not None and sampled.logprob < 0
        assert len(sampled.critique) >= 1
        (window,) = writer.search(Task(id="t", question="Do it.", answer=answer), 0).windows
        for comment in sampled.critique:
            line = text.line(comment.highlight.start)
            assert comment.highlight == stripped_line(text, line) and line in acting_lines(text, signatures=True)
            assert comment.confidence == pytest.approx(window.confidence[line], abs=1e-4)
            assert comment.text
        confidences = [comment.confidence or 0 for comment in sampled.critique]
        assert confidences == sorted(confidences, reverse=True)
        assert parse(render(sampled.critique, answer), answer).critique == sampled.critique.without_metadata()


def test_where_the_gate_is_silent_nothing_is_searched_and_no_reward_model_loaded(bundle: Bundle) -> None:
    assert bundle.reward is not None
    unloadable = replace(bundle, reward=replace(bundle.reward, folder=bundle.folder / "nowhere"))
    silent = one(critic(unloadable, threshold=2.0), CODE)
    assert len(silent.critique) == 0 and silent.error is None and silent.score is None
    loud = one(critic(unloadable), CODE)
    assert loud.error is not None and "cannot be loaded" in loud.error


def test_only_lines_that_the_gate_suspects_are_spoken_of(bundle: Bundle) -> None:
    (window,) = critic(bundle).search(Task(id="t", question="Do it.", answer=CODE), 0).windows
    second = sorted(window.confidence.values())[-2]
    suspects = {line for line, confidence in window.confidence.items() if confidence >= second}
    text = TextMap(CODE)
    said = {
        text.line(comment.highlight.start)
        for seed in range(6)
        for comment in one(critic(bundle, threshold=second, modifier=99.0), CODE, seed).critique
    }
    assert said and said <= suspects < set(window.confidence)


def test_the_dial_chooses_among_the_same_candidates(bundle: Bundle) -> None:
    task = Task(id="t", question="Do it.", answer=CODE)
    writer = critic(bundle)
    found = writer.search(task, 1)
    counts = [len(writer.choose(task, found, modifier).critique) for modifier in (-99.0, -1.0, 0.0, 1.0, 99.0)]
    assert counts == sorted(counts) and counts[0] == 0 < counts[-1]
    for modifier in (-99.0, 99.0):
        told = next(iter(critic(bundle, modifier=modifier).critique([task], seed=1)))
        assert told == writer.choose(task, found, modifier)
        assert told.score == select(found.windows[0].result, modifier).score


def test_at_most_so_many_comments_are_made_the_most_suspect(bundle: Bundle) -> None:
    all_of_them = one(critic(bundle, modifier=99.0), CODE)
    assert len(all_of_them.critique) >= 2
    first = one(critic(bundle, modifier=99.0, comments=1), CODE)
    assert [c.highlight for c in first.critique] == [all_of_them.critique.comments[0].highlight]


def test_the_words_are_of_the_mend_that_was_chosen_before_them(bundle: Bundle, tiny_run: TinyRun) -> None:
    function = tiny_run.functions["dev"][0]
    task = Task(id="t", question=function.doc, answer=function.code)
    writer = critic(bundle, settings=replace(SHORT, max_tokens=48))
    (window,) = writer.search(task, 0).windows
    mends = {line: mend for line, mend in (window.mends or {}).items() if mend is not None}
    assert mends  # or this case shows nothing: choose another
    told = [comment for candidate in window.result.candidates for comment in candidate.critique]
    assert any(comment.text and comment.suggestion for comment in told)
    for comment in told:
        line = window.text.line(comment.highlight.start)
        if line in mends and comment.text:  # not cut off before the words
            assert comment.suggestion == mends[line]
    for comment in writer.choose(task, writer.search(task, 0), 99.0).critique:
        assert comment.suggestion == mends.get(TextMap(task.answer).line(comment.highlight.start))
    (own,) = critic(bundle, mend=False).search(task, 0).windows
    assert own.mends is None


def test_mode_paper_searches_whatever_the_gate_says_and_quotes_any_line(bundle: Bundle) -> None:
    writer = critic(bundle, settings=replace(SHORT, n=4, rounds=4, mode="paper"), threshold=2.0)
    task = Task(id="t", question="", answer=CODE)
    (window,) = writer.search(task, 0).windows
    assert len(window.result.candidates) == 28 and window.result.mode == "paper"
    assert all(candidate.tokens[0] == bundle.dialect.open for candidate in window.result.candidates)


def test_a_long_answer_is_searched_window_by_window_and_no_line_remarked_on_twice(bundle: Bundle) -> None:
    answer = "x = 1\n" * 150
    writer = critic(bundle, settings=replace(SHORT, n=2, k=1), modifier=99.0, comments=99)
    found = writer.search(Task(id="t", question="", answer=answer), 0)
    assert len(found.windows) >= 2
    told = writer.choose(Task(id="t", question="", answer=answer), found, 99.0)
    places = [comment.highlight for comment in told.critique]
    assert len(places) == len(set(places)) >= 2
    for comment in told.critique:
        assert comment.highlight.of(answer) == "x = 1"


def test_the_same_seed_gives_the_same_critique_and_each_i_its_own(bundle: Bundle, tiny_run: TinyRun) -> None:
    function = tiny_run.functions["dev"][0]
    task = Task(id="t", question=function.doc, answer=function.code)
    roomy = replace(SHORT, max_tokens=48)
    writer = critic(bundle, settings=roomy)
    first = list(writer.critique([task], n=2, seed=7))
    assert [sampled.i for sampled in first] == [0, 1]
    assert list(writer.critique([task], n=2, seed=7)) == first
    (other,) = critic(bundle, settings=roomy).critique([task], seed=8)
    assert other.critique == first[1].critique != first[0].critique


@pytest.mark.parametrize("answer", ["", "\n", " \n\t\n", "import os\n"])
def test_an_answer_with_nothing_to_suspect_gets_silence(bundle: Bundle, answer: str) -> None:
    sampled = one(critic(bundle, threshold=1e-9), answer)
    assert len(sampled.critique) == 0 and sampled.error is None


def test_it_opens_by_name_with_its_dial(tiny_reward: TinyReward) -> None:
    folder = tiny_reward.bundle
    notches = {notch["percentile"]: notch["modifier"] for notch in (tiny_reward.opened().dial or {})["notches"]}
    name = "bundled+fsbs"
    assert open_critic(name, bundle=folder).modifier == notches[50]  # type: ignore[attr-defined]
    assert open_critic(name, bundle=folder, dial=10).modifier == notches[10]  # type: ignore[attr-defined]
    assert open_critic(name, bundle=folder).name == name
    versions = {open_critic(name, bundle=folder, dial=percentile).version for percentile in notches}  # type: ignore[attr-defined]
    assert len(versions) == 4
    promised = (tiny_reward.opened().dial or {})["promises"]
    loosest = open_critic("bundled+fsbs", bundle=folder, max_spurious=promised[-1]["bound"])
    assert loosest.modifier == promised[-1]["modifier"]  # type: ignore[attr-defined]


def test_what_cannot_be_opened_is_one_sentence_each(tiny_reward: TinyReward, tiny_run: TinyRun) -> None:
    with pytest.raises(MomusError, match="has no reward model to search with: use the critic bundled"):
        open_critic("bundled+fsbs", bundle=tiny_run.bundle)
    with pytest.raises(MomusError, match="has no reward model to search with"):
        open_critic("bundled+fsbs", bundle=tiny_run.bundle, dial=50)
    with pytest.raises(MomusError, match=r"the lowest promise that this bundle can keep is \d"):
        open_critic("bundled+fsbs", bundle=tiny_reward.bundle, max_spurious=0.01)
    with pytest.raises(MomusError, match="takes no option 'dial'"):
        open_critic("bundled", bundle=tiny_run.bundle, dial=50)
    with pytest.raises(MomusError, match="set the same thing"):
        open_critic("bundled+fsbs", bundle=tiny_reward.bundle, dial=50, max_spurious=1.0)
    with pytest.raises(MomusError, match="the mode of a search is paper or momus"):
        open_critic("bundled+fsbs", bundle=tiny_reward.bundle, mode="fast")
