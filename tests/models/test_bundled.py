"""Windows leave no line out in silence; a bundle opens whole or not at all; both runtimes judge alike."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from momus.critics.sampled import SampledCritic
from momus.critics.trivial import acting_lines
from momus.critique import TextMap
from momus.errors import MomusError
from momus.models.bundled import CHECKED, REWARD_CHECKED, Gate, Suspicion, open_bundle, windows
from momus.models.dialect import MAX_LINES, Dialect
from momus.models.protocol import Prompt
from momus.records import Task
from tiny_reward import MEAN, STD, TinyReward
from tiny_run import TinyRun

CONTEXT = 1024


def check(answer: str, dialect: Dialect, context: int, room: int = 176) -> set[int]:
    """Every window fits, with room to quote any line of it; returns the lines with code that no window has."""
    text = TextMap(answer)
    found = windows("Do it.", answer, dialect, context, room)
    covered: set[int] = set()
    for first, last in found:
        assert 1 <= first <= last <= text.line_count and last - first < MAX_LINES
        lines = [text.line_text(number) for number in range(first, last + 1)]
        encoded = dialect.prompt(Prompt("Do it.", "\n".join(lines)))
        longest = max(len(dialect.quote_line(1, line)) for line in lines if line.strip())
        assert len(encoded.ids) + longest + 2 + room - 16 <= context
        covered.update(range(first, last + 1))
    assert found == sorted(set(found)) and all(a[1] < b[1] for a, b in itertools.pairwise(found))
    return set(text.code_lines) - covered


@given(
    pieces=st.lists(
        st.sampled_from(["x = 1", "    return None", "", "\t", "y = " + "a + " * 40, "z = " + "b, " * 200, "é = '🎉'"]),
        max_size=60,
    ),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    context=st.sampled_from([256, 400, 1024]),
)
@settings(max_examples=60, deadline=None)
def test_every_line_with_code_is_in_a_window_or_too_long_for_any(
    dialect: Dialect, pieces: list[str], ending: str, context: int
) -> None:
    answer = ending.join(pieces)
    text = TextMap(answer)
    for number in check(answer, dialect, context, room=100):
        assert 2 * len(dialect.line(text.line_text(number))) > context - 100 - 20


def test_a_file_of_20_000_lines_is_covered_whole(dialect: Dialect) -> None:
    answer = "".join(f"value_{n % 97} = compute({n})\n" if n % 5 else "\n" for n in range(20_000))
    assert check(answer, dialect, CONTEXT) == set()


def test_a_line_of_50_000_characters_is_left_out_alone(dialect: Dialect) -> None:
    answer = "a = 1\nb = '" + "x y" * 17_000 + "'\nc = 3\n"
    assert check(answer, dialect, CONTEXT) == {2}


def test_neighbouring_windows_share_a_quarter(dialect: Dialect) -> None:
    found = windows("", "x = 1\n" * 300, dialect, 4096)
    assert found == [(1, 128), (97, 224), (193, 300)]


def test_an_answer_without_code_has_no_window(dialect: Dialect) -> None:
    assert windows("q", "", dialect, CONTEXT) == windows("q", "\n \n\t\r\n", dialect, CONTEXT) == []


@pytest.fixture
def copy(tiny_run: TinyRun, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run.bundle8, tmp_path / "copy"))


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "bundle.json"
    about = json.loads(path.read_text())
    change(about)
    path.write_text(json.dumps(about))


def refused(folder: Path, *words: str) -> None:
    for runtime in ("onnx", "numpy"):
        with pytest.raises(MomusError) as error:
            open_bundle(folder, runtime=runtime)  # type: ignore[arg-type]
        said = str(error.value)
        assert "\n" not in said
        for word in words:
            assert word in said


def test_a_folder_without_a_bundle_is_one_sentence(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "no bundle in", "momus train export")
    (tmp_path / "bundle.json").write_text("{not json")
    refused(tmp_path, "bundle.json cannot be read")
    (tmp_path / "bundle.json").write_bytes(b"\xff\xfe\x00")
    refused(tmp_path, "bundle.json cannot be read")
    (tmp_path / "bundle.json").write_text("[]")
    refused(tmp_path, "bundle.json cannot be read")


def test_a_bundle_of_another_format_says_which(copy: Path) -> None:
    edit(copy, lambda about: about.update(format=99))
    refused(copy, "is of format 99", "reads formats 1 and 2")


@pytest.mark.parametrize("name", CHECKED)
def test_a_changed_or_missing_file_is_named(copy: Path, name: str) -> None:
    raw = bytearray((copy / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (copy / name).write_bytes(raw)
    refused(copy, name, "is damaged or was changed")
    (copy / name).unlink()
    refused(copy, name, "is missing", "export the bundle again")


def reseal(folder: Path, name: str) -> None:
    from momus.models.bundled import file_digest

    edit(folder, lambda about: about["sha256"].update({name: file_digest(folder / name)}))


def test_corrupt_weights_are_refused_even_under_a_matching_checksum(copy: Path) -> None:
    (copy / "weights.bin").write_bytes((copy / "weights.bin").read_bytes()[:-100])
    reseal(copy, "weights.bin")
    refused(copy, "reinstall or export the bundle again")


def test_a_tokenizer_of_another_model_is_refused(copy: Path) -> None:
    from momus.corpus.tokenizer import train
    from momus.models.dialect import SPECIALS

    train(["x = 1"], SPECIALS, copy / "tokenizer.json", size=440)
    reseal(copy, "tokenizer.json")
    refused(copy, "does not fit this momus", "for a model of 600")
    train(["x = 1"], SPECIALS[:20], copy / "tokenizer.json", size=440)
    reseal(copy, "tokenizer.json")
    refused(copy, "does not fit this momus")


@pytest.mark.parametrize("missing", ["arch", "gate", "sha256", "weights", "name"])
def test_an_about_file_without_a_part_is_refused(copy: Path, missing: str) -> None:
    edit(copy, lambda about: about.pop(missing))
    refused(copy, f"'{missing}'", "export it again")


def test_sizes_and_gates_that_are_none_are_refused(copy: Path) -> None:
    whole = (copy / "bundle.json").read_text()
    for change in (
        {"arch": {"hidden": 64}},
        {"arch": []},
        {"gate": {"threshold": "often"}},
        {"gate": {"mood": 1}},
        {"gate": 3},
        {"sha256": {}},
    ):
        (copy / "bundle.json").write_text(whole)
        edit(copy, lambda about, change=change: about.update(change))  # type: ignore[misc]
        refused(copy, "export it again")


def test_the_version_changes_with_the_gate(copy: Path) -> None:
    before = open_bundle(copy).version
    assert open_bundle(copy).version == before
    edit(copy, lambda about: about["gate"].update(threshold=0.123))
    assert open_bundle(copy).version != before


def test_confidence_is_a_logistic_of_all_three_signs() -> None:
    gate = Gate(scan=2.0, token=1.5, point=0.5, bias=-1.0)
    assert gate.confidence(Suspicion(1, 1.0, 0.0, -2.0)) == pytest.approx(1 / (1 + np.exp(-0.0)))
    assert gate.confidence(Suspicion(1, 1.5, 2.0, -2.0)) == pytest.approx(1 / (1 + np.exp(-4.0)))
    assert 0 < gate.confidence(Suspicion(1, -1e9, 0.0, -1e9)) < 1e-9
    assert gate.confidence(Suspicion(1, 1e9, 1e9, 0.0)) <= 1


def test_a_line_is_judged_by_its_worst_token_and_in_the_scan(tiny_run: TinyRun) -> None:
    """By hand: the log-odds of bug against ok, from the model's own output layer."""
    bundle = tiny_run.opened("numpy")
    prompt = Prompt("Add.", "def f(a, b):\n\n    return a - b\n")
    encoded = bundle.dialect.prompt(prompt)
    assert [encoded.ids[end] for end in encoded.ends] == [bundle.dialect.markers[0], bundle.dialect.markers[2]]
    assert bundle.dialect.tokenizer.decode(encoded.ids[encoded.starts[1] : encoded.ends[1]]) == "    return a - b"
    tensors = load_file(tiny_run.folder / "sft" / "model.safetensors")["model.embed_tokens.weight"]
    session = bundle.backend.open(prompt)
    logits = session.prompt_hidden @ tensors.T
    odds = logits[:, bundle.dialect.bug] - logits[:, bundle.dialect.ok]
    for found, start, end, scan in zip(session.suspicions(), encoded.starts, encoded.ends, encoded.scan, strict=True):
        assert found.scan_logit == pytest.approx(odds[scan], abs=1e-4)
        assert found.token_logit == pytest.approx(max(odds[start:end]), abs=1e-4)


def tasks(run: TinyRun) -> list[Task]:
    return [Task(id=f.id, question=f.doc, answer=f.code) for f in run.functions["dev"][:8]]


def test_both_runtimes_judge_and_write_alike(tiny_run: TinyRun) -> None:
    critics = [SampledCritic(tiny_run.opened(runtime), threshold=0.0, comments=1) for runtime in ("onnx", "numpy")]  # type: ignore[arg-type]
    for task in tasks(tiny_run)[:3]:
        onnx, numpy = (critic.suspicions(task) for critic in critics)
        arguable = list(acting_lines(TextMap(task.answer), signatures=True))
        assert [s.line for s in onnx] == [s.line for s in numpy] == arguable
        for a, b in zip(onnx, numpy, strict=True):
            assert abs(a.scan_logit - b.scan_logit) <= 1e-3 and abs(a.log_point - b.log_point) <= 1e-3
            assert abs(a.token_logit - b.token_logit) <= 1e-3
        one, other = (next(iter(critic.critique([task], seed=4))) for critic in critics)
        assert len(one.critique) == 1 and one.critique == other.critique


def test_branches_may_read_more_tokens_together_than_the_context_holds(tiny_run: TinyRun) -> None:
    peeks = []
    for runtime in ("onnx", "numpy"):
        session = tiny_run.opened(runtime).backend.open(Prompt("", "a = 1\nb = 2"))  # type: ignore[arg-type]
        branches = session.fork(None, 30)
        session.extend(branches, [[300 + n] * 40 for n in range(30)])
        peeks.append(session.peek(branches).logits)
    assert tiny_run.opened().arch.context < 30 * 40
    assert np.abs(peeks[0] - peeks[1]).max() <= 1e-3


def test_eight_bits_judge_much_as_thirty_two_do(tiny_run: TinyRun) -> None:
    small, whole = SampledCritic(open_bundle(tiny_run.bundle8)), SampledCritic(tiny_run.opened())
    pairs = [
        (a.scan_logit, b.scan_logit)
        for task in tasks(tiny_run)
        for a, b in zip(small.suspicions(task), whole.suspicions(task), strict=True)
    ]
    differences = np.array([a - b for a, b in pairs])
    assert np.abs(differences).mean() < 0.1 and len(pairs) > 30


def test_a_session_knows_its_lines_and_refuses_a_blank_answer(tiny_run: TinyRun) -> None:
    backend = tiny_run.opened().backend
    session = backend.open(Prompt("", "a = 1\n\nb = 2"))
    found = session.suspicions()
    assert [s.line for s in found] == [1, 3]
    assert sum(np.exp([s.log_point for s in found])) <= 1 + 1e-6  # of speaking at all, and then of one of these
    with pytest.raises(ValueError, match="without a line of code"):
        backend.open(Prompt("", " \n"))


def test_a_bundle_of_format_1_has_neither_reward_model_nor_dial(copy: Path) -> None:
    assert json.loads((copy / "bundle.json").read_text())["format"] == 2
    edit(copy, lambda about: about.update(format=1))
    bundle = open_bundle(copy)
    assert bundle.reward is None and bundle.dial is None


def test_a_bundle_with_a_reward_model_holds_both_and_its_dial(tiny_reward: TinyReward) -> None:
    bundle = tiny_reward.opened()
    assert bundle.reward is not None and bundle.dial is not None
    assert (bundle.reward.mean, bundle.reward.std) == (MEAN, STD)
    assert bundle.reward.head.shape == (bundle.arch.hidden,)
    names = {
        path.relative_to(tiny_reward.bundle).as_posix() for path in tiny_reward.bundle.rglob("*") if path.is_file()
    }
    assert names == {*CHECKED, *REWARD_CHECKED, "bundle.json", "MODEL_CARD.md", "__init__.py"}


@pytest.mark.parametrize("name", REWARD_CHECKED)
def test_a_changed_or_missing_reward_model_is_named(tiny_reward: TinyReward, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(tiny_reward.bundle, tmp_path / "copy"))
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(raw)
    refused(folder, name, "is damaged or was changed")
    (folder / name).unlink()
    refused(folder, name, "is missing", "export the bundle again")


@pytest.mark.parametrize(
    "change",
    [
        {"std": 0.0},
        {"mean": float("nan")},
        {"head": [1.0]},
        {"head": "none"},
        {"arch": {}},
    ],
)
def test_a_reward_model_that_does_not_fit_is_refused(
    tiny_reward: TinyReward, tmp_path: Path, change: dict[str, Any]
) -> None:
    folder = Path(shutil.copytree(tiny_reward.bundle, tmp_path / "copy"))
    edit(folder, lambda about: about["reward"].update(change))
    refused(folder, "does not fit this momus", "export it again")
