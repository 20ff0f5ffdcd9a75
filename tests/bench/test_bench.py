"""The benches measure what they say, and write down what they found."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from momus.bench import SUITES, Goal, Outcome, clean_files, decode, quote, review, run
from momus.bench.process import best_of, machine, measure, versions
from momus.cli.bench import _SUITES, command
from momus.errors import MomusError
from momus.models.arch import Arch

TINY = Arch(vocab=300, hidden=64, layers=2, heads=4, kv_heads=2, head_dim=32, ffn=96, context=1024)


def test_a_command_is_charged_for_its_own_work_and_that_of_its_children() -> None:
    idle = measure([sys.executable, "-c", "import time; time.sleep(0.5)"])
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    alone = measure([sys.executable, "-c", busy])
    parent = measure(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"]
    )
    assert idle.cpu_s < 0.4 and idle.wall_s >= 0.5
    assert 0.5 <= alone.cpu_s < 1.5
    assert parent.cpu_s >= 0.5


def test_peak_memory_is_seen() -> None:
    """In a process of its own, as a bench runs: a child's peak is never below what its parent holds."""
    said = "from momus.bench.process import measure; import sys; "
    said += "print(measure([sys.executable, '-c', \"b'x' * (300 << 20)\"]).peak_mb)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert 300 <= float(done.stdout) < 450


def test_output_and_codes_come_back() -> None:
    used = measure(
        [sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"], good=(3,)
    )
    assert (used.stdout, used.stderr, used.code) == ("out\n", "err\n", 3)
    with pytest.raises(MomusError, match="exited with 3: err"):
        measure([sys.executable, "-c", "import sys; print('err', file=sys.stderr); sys.exit(3)"])
    with pytest.raises(MomusError, match="install it"):
        measure(["/no/such/tool"])
    assert best_of(2, [sys.executable, "-c", "pass"]).code == 0


def test_one_thread_is_asked_of_everyone() -> None:
    used = measure([sys.executable, "-c", "import os; print(os.environ['OMP_NUM_THREADS'])"])
    assert used.stdout == "1\n"


def test_facts_name_no_machine() -> None:
    import platform

    facts = machine()
    assert facts["cores"] >= 1 and facts["processor"]
    assert platform.node() not in json.dumps(facts) or not platform.node()
    assert versions(["numpy", "no-such-package"]).keys() == {"numpy"}


@pytest.mark.parametrize(
    ("value", "bound", "holds"), [(9.0, "at most", True), (10.1, "at most", False), (9.0, "at least", False)]
)
def test_a_goal_holds_on_its_own_side(value: float, bound: str, holds: bool) -> None:
    assert Goal("g", value, bound, 10.0, "x").holds is holds  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    decode.prepare(TINY, folder, 0, ("8", "32", "hf"))
    return folder


@pytest.mark.parametrize("contestant", ["onnx-8", "numpy-32", "hf"])
def test_every_contestant_drafts_the_same_number_of_tokens(
    weights: Path, contestant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("PROMPT", 50), ("DRAFTS", 5), ("TOKENS", 6)):
        monkeypatch.setattr(decode, name, size)
    figures = decode.contest(contestant, weights, 0)  # raises where the number is another
    assert figures["cpu_s"] > 0
    assert figures["tokens_per_cpu_s"] > 0


def test_contestants_have_the_same_weights(weights: Path) -> None:
    import torch
    from transformers import Qwen3ForCausalLM

    from momus.models.numpy_backend import NumpyRuntime
    from momus.models.session import TokenBackend

    index = json.loads((weights / "32" / "index.json").read_text())
    runtime = NumpyRuntime(weights / "32", TINY, index)
    ours = TokenBackend(runtime, decode._NoQuotes()).open_tokens([5, 6, 7]).prompt_logits
    model = Qwen3ForCausalLM.from_pretrained(weights / "hf", dtype=torch.float32).eval()
    with torch.no_grad():
        theirs = model(torch.tensor([[5, 6, 7]])).logits[0, -1].numpy()
    assert abs(ours - theirs).max() < 1e-4


def test_quotes_are_all_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quote, "WALKS", 40)
    monkeypatch.setattr(quote, "FUZZ", 60)
    outcome = quote.bench(seed=2)
    exact = [goal for goal in outcome.goals if goal.unit == "%"]
    assert len(exact) == 2 and all(goal.holds for goal in exact)
    assert outcome.figures["lines"]["fuzz_quotes"] == 60


def test_clean_files_stand_alone(tmp_path: Path) -> None:
    written = clean_files.write(tmp_path, 12)
    assert len(written) == len(set(written)) == 12
    for path in written:
        text = path.read_text(encoding="utf-8")
        ast.parse(text)
        exec(compile(text, str(path), "exec"), {"__name__": "clean"})  # only imports and a definition
    assert clean_files._free_names("def f(a):\n    return g(a) + len(a) + os.sep\n") == {"g", "os"}


def test_a_review_is_timed_against_pylint() -> None:
    outcome = review.bench(files=2, critic="empty")
    assert outcome.figures["clean_folder"]["momus"]["units"] >= 2
    assert outcome.figures["clean_folder"]["momus"]["findings"] == 0
    assert outcome.figures["flagged"]["cpu_s_each"] is None
    assert len(outcome.goals) == 3 and all(goal.value > 0 for goal in outcome.goals)


def test_results_are_written_with_their_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quote, "WALKS", 10)
    monkeypatch.setattr(quote, "FUZZ", 10)
    result = CliRunner().invoke(command, ["quote", "--json", "-o", str(tmp_path / "new")])
    assert result.exit_code == 0, result.output
    written = json.loads((tmp_path / "new" / "quote.json").read_text())
    assert written == json.loads(result.output)
    assert written["command"] == "momus bench quote --seed 0"
    assert {"date", "machine", "versions", "goals", "figures"} <= written.keys()
    shown = CliRunner().invoke(command, ["quote"])
    assert "holds" in shown.output


def test_bad_requests_are_one_sentence(tmp_path: Path) -> None:
    assert CliRunner().invoke(command, ["nothing"]).exit_code == 2
    several = CliRunner().invoke(command, ["all", "-o", str(tmp_path / "a.json")])
    assert isinstance(several.exception, MomusError) and "folder" in str(several.exception)
    with pytest.raises(ValueError, match="decode, quote"):
        run("nothing")
    assert _SUITES == SUITES
    assert Outcome("x", [], {}).packages == ()
