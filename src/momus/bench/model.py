"""A local model: Momus on OpenVINO against llama.cpp on the publisher's file, and what batches and scans cost.

Each contestant runs in a process of its own; what is timed is the wall clock, on one thread and on two, so that nothing
else should run. Momus reads the file rewritten to 8 bits a weight, llama.cpp (xllamacpp, of the part 'dev') the file as
it is. Run as a module, it is one contestant.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from momus.bench import Goal, Outcome, Say
from momus.bench.process import measure
from momus.errors import MissingExtra

PROMPT, WRITTEN, BRANCHES = 512, 48, 8  # tokens of a prompt, tokens that a branch writes, branches together
FUNCTION = 450  # tokens of a typical scan: the request, and the code under review twice
RUNS = 3  # of each measure, of which the fastest counts
PREFILL_GOAL, ONE_GOAL, EIGHT_GOAL, SCAN_GOAL = 2.5, 0.6, 3.0, 1.15
OURS, PEER = "Momus, OpenVINO, 8 bits", "llama.cpp, the file as it is"
_SELF = [sys.executable, "-m", "momus.bench.model"]


def bench(
    *, seed: int = 0, say: Say = lambda line: None, model: str | None = None, threads: tuple[int, ...] = (1, 2)
) -> Outcome:
    """Time both contestants on each number of threads. Raises MissingExtra without xllamacpp, MomusError without the
    model's weights. `model`: a name of the catalogue or a .gguf file; the default model when not given."""
    from momus.models.catalogue import default_model, resolve
    from momus.models.convert import converted

    if find_spec("xllamacpp") is None:
        raise MissingExtra("the bench of local models against llama.cpp", "dev")
    name = model or default_model()
    weights = resolve(name)
    say(f"converting {name}")
    converted(weights)
    goals, found = [], {}
    for count in threads:
        figures: dict[str, dict[str, Any]] = {}
        for contestant, label in (("ours", OURS), ("peer", PEER)):
            say(f"{label}, {count} threads")
            used = measure([*_SELF, contestant, str(weights), str(count), str(seed)])
            figures[label] = {**json.loads(used.stdout.splitlines()[-1]), "peak_mb": round(used.peak_mb, 1)}
        goals += _goals(figures[OURS], figures[PEER], count)
        found[f"{count} threads"] = figures
    work = {"prompt_tokens": PROMPT, "written_tokens": WRITTEN, "branches": BRANCHES, "scan_tokens": FUNCTION}
    return Outcome("model", goals, {"model": name, "work": work, **found}, ("openvino", "xllamacpp", "numpy"))


def _goals(ours: dict[str, float], peer: dict[str, float], threads: int) -> list[Goal]:
    on = f"{threads} threads: "
    prefill = ours["prefill_tokens_per_s"] / peer["prefill_tokens_per_s"]
    one = ours["one_tokens_per_s"] / peer["one_tokens_per_s"]
    eight = ours["one_by_one_s"] / ours["together_s"]
    scan = ours["scan_s"] / ours["no_logits_s"]
    return [
        Goal(f"{on}reading a prompt, times as fast as llama.cpp", round(prefill, 3), "at least", PREFILL_GOAL, "x"),
        Goal(f"{on}writing one branch, times as fast as llama.cpp", round(one, 3), "at least", ONE_GOAL, "x"),
        Goal(f"{on}eight branches together, times as fast as one by one", round(eight, 3), "at least", EIGHT_GOAL, "x"),
        Goal(f"{on}a scan, times what its tokens take without logits", round(scan, 3), "at most", SCAN_GOAL, "x"),
    ]


def contest(contestant: str, weights: Path, threads: int, seed: int) -> dict[str, float]:
    """Load one contestant, warm it up, time it; seconds of the wall clock, and tokens a second."""
    found = (_ours if contestant == "ours" else _peer)(weights, threads, seed)
    return {name: round(value, 4) for name, value in found.items()}


def _ours(weights: Path, threads: int, seed: int) -> dict[str, float]:
    from momus.models.local import open_local

    began = time.perf_counter()
    model = open_local(str(weights), threads=threads)
    load = time.perf_counter() - began
    ids = _tokens(seed)
    prompt = ids[: PROMPT // 8]

    def write(n: int, first: int) -> None:
        session = model.start(prompt)
        branches = session.fork(None, n)
        drawn = session.sample(
            branches, max_tokens=WRITTEN, temperature=1.0, stop=frozenset(), quote=None, seed=seed + first
        )
        session.close()
        if any(len(d.tokens) != WRITTEN for d in drawn):
            raise RuntimeError("a branch is shorter than what is timed")

    def one_by_one() -> None:
        for i in range(BRANCHES):
            write(1, i)

    prompted = _fastest(lambda: model.start(prompt).close())
    prefill = _fastest(lambda: model.start(ids[:PROMPT]).close())
    one = _fastest(lambda: write(1, 0)) - prompted
    together = _fastest(lambda: write(BRANCHES, 0))
    alone = _fastest(one_by_one, 1)
    code = ids[:FUNCTION]
    # the code stands twice in a request, and the tokens of its second copy are read
    scan = _fastest(lambda: model.read(code, FUNCTION * 5 // 9))
    bare = _fastest(lambda: model.read(code, FUNCTION - 1))
    return {
        "load_s": load,
        "prefill_tokens_per_s": PROMPT / prefill,
        "one_tokens_per_s": WRITTEN / one,
        "together_tokens_per_s": BRANCHES * WRITTEN / together,
        "together_s": together,
        "one_by_one_s": alone,
        "scan_s": scan,
        "no_logits_s": bare,
    }


def _peer(weights: Path, threads: int, seed: int) -> dict[str, float]:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.n_parallel = 2 * PROMPT, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.verbosity = 0
    began = time.perf_counter()
    server = xllamacpp.Server(params)
    load = time.perf_counter() - began
    ids = _tokens(seed)

    def write(prompt: list[int], n: int) -> None:
        asked = {
            "prompt": prompt,
            "max_tokens": n,
            "n_predict": n,
            "temperature": 0.0,
            "ignore_eos": True,
            "cache_prompt": False,
        }
        answer: dict[str, Any] = server.handle_completions(asked)
        if answer.get("usage", {}).get("completion_tokens") != n:
            raise RuntimeError(f"llama.cpp did not write {n} tokens: {answer.get('error', answer.get('usage'))}")

    short = ids[: PROMPT // 8]
    prompted = _fastest(lambda: write(short, 1))
    prefill = _fastest(lambda: write(ids[:PROMPT], 1))
    one = _fastest(lambda: write(short, WRITTEN + 1)) - prompted
    return {"load_s": load, "prefill_tokens_per_s": PROMPT / prefill, "one_tokens_per_s": WRITTEN / one}


def _tokens(seed: int) -> list[int]:
    found: list[int] = np.random.default_rng(seed).integers(32, 250, 2 * PROMPT).tolist()  # bytes in every vocabulary
    return found


def _fastest(work: Callable[[], object], runs: int = RUNS) -> float:
    """Wall seconds of the fastest run, after one that is not counted."""
    work()
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    who, where, count, seeded = sys.argv[1:]
    print(json.dumps(contest(who, Path(where), int(count), int(seeded))))
