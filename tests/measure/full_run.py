"""A folder of records that holds data for every figure. All of it is simulated: scores follow a rule and a seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from planted import Planted, make_tamper, oracle

from momus.critics.trivial import Empty, Everything
from momus.critique import Comment, Critique, Span
from momus.measure import measure
from momus.measure.blindspots import card, save
from momus.measure.scattered import scatter
from momus.records import Choice, Comparison, Rating, Record, Sampled, Tamper, Task, write_jsonl

CRITICS = {"human": 3.4, "human+bundled": 5.2, "bundled+fsbs@25": 4.6, "bundled+fsbs@75": 5.4, "prompted": 3.0}
TWIN = "def f(a, b):\n" + "".join(f"    x{i} = a + {i}\n" for i in range(12)) + "    return a\n"


def write_run(folder: Path, *, tasks: int = 24, seed: int = 0, lift: float = 0.0) -> Path:
    """Write all files; `lift` makes `bundled+fsbs` so much better on every scale."""
    rng = np.random.default_rng(seed)
    comparisons: list[Comparison] = []
    for i in range(tasks):
        kind = ("inserted", "natural", "clean")[i % 3]
        comparisons.append(_comparison(make_tamper(i), kind, rng))
    comparisons += [_comparison(tamper, "inserted", rng) for tamper in _scattered()]
    ratings: list[Rating] = []
    for comparison in comparisons:
        ratings += [r for rater in ("simulated-a", "simulated-b") for r in _rated(comparison, rater, lift, rng)]
    write_jsonl(folder / "comparisons.jsonl", comparisons)
    write_jsonl(folder / "ratings.jsonl", ratings)
    write_jsonl(folder / "choices.jsonl", _choices(rng))
    (folder / "manifest.json").write_text(json.dumps({"settings": {"verb": "rate", "rater": "simulated-a", "seed": 0}}))
    _json(folder / "scaling.json", _scaling(lift))
    _json(folder / "discriminators.json", _discriminators())
    _json(folder / "audit.json", {"rerated": {"critique": _figure(0.24), "control": _figure(0.06)}, "simulated": True})
    _json(folder / "study.json", _study(lift))
    bugs = [make_tamper(i) for i in range(6)]
    sets = [
        measure([Planted("bundled", oracle), Everything(), Empty()], bugs, label=n, draws=50) for n in ("held", "nat")
    ]
    results = {"schema_version": 1, "draws": 50, "data": [found.to_json() for found in sets]}
    for data in results["data"]:  # one category parts nothing, so that its slice is left out
        data["critics"][0]["slices"]["category"] = {"off-by-one": data["critics"][0]["measures"]}
    _json(folder / "measured.json", results)
    save(card(results, "bundled", inserted=["held"], natural=["nat"]), folder)
    return folder


def _comparison(tamper: Tamper, kind: str, rng: np.random.Generator) -> Comparison:
    task: Task = tamper.task if kind != "clean" else tamper.task.model_copy(update={"answer": tamper.twin})
    bugs = () if kind == "clean" else tamper.bugs
    if kind == "natural":
        bugs = tuple(bug.model_copy(update={"operator": None, "severity": "low"}) for bug in bugs)
    critiques = []
    for name in CRITICS:
        place = bugs[0].spans[0] if bugs and rng.random() < CRITICS[name] / 7 else Span(0, 5)
        said = [Comment(place, f"{name} on {task.id}", confidence=float(rng.random()))]
        critiques.append(Sampled(task_id=task.id, critic=name, critique=Critique(tuple(said))))
    draft = Critique((*critiques[1].critique, Comment(Span(0, 3), "A remark that nobody needs.")))
    critiques.append(Sampled(task_id=task.id, critic="bundled", critique=draft))
    return Comparison(
        id=f"{kind}/{task.id}",
        task=task,
        critiques=tuple(critiques),
        bugs=bugs,
        twin=None if kind == "clean" else tamper.twin,
    )


def _scattered() -> list[Tamper]:
    found = []
    for i in range(3):
        members = []
        for line in (0, 5, 10):
            right, wrong = f"a + {line}", f"a - {line} * 2"
            single = make_tamper(100 + i)
            answer = TWIN.replace(right + "\n", wrong + "\n")
            start = answer.index(wrong)
            bug = single.bugs[0].model_copy(update={"spans": (Span(start, start + len(wrong)),), "suggestion": right})
            task = single.task.model_copy(update={"answer": answer, "id": f"s{i}", "question": f"q{i}"})
            members.append(Tamper(task=task, twin=TWIN, bugs=(bug,)))
        found += scatter(members, bugs=2 + i % 2)
    return found


def _rated(comparison: Comparison, rater: str, lift: float, rng: np.random.Generator) -> list[Rating]:
    rows = []
    for place, sampled in enumerate(comparison.critiques):
        quality = CRITICS.get(sampled.critic, 4.0) + (lift if "fsbs" in sampled.critic else 0)
        for attribute in ("cbi", "comprehensiveness", "nitpick", "fake_problem", "conciseness", "overall"):
            if attribute == "cbi" and not comparison.bugs:
                continue
            score = int(np.clip(round(rng.normal(quality, 1.5)), 1, 7))
            for bug in range(len(comparison.bugs)) if attribute == "cbi" else (None,):
                rows.append(
                    Rating(
                        comparison_id=comparison.id,
                        critique=place,
                        rater=rater,
                        attribute=attribute,  # type: ignore[arg-type]
                        score=score,
                        bug=bug,
                        simulated=True,
                    )
                )
    return rows


def _choices(rng: np.random.Generator) -> list[Record]:
    return [
        Choice(task_id=f"t{i}", rater="sim", passes=1, chosen=int(rng.random() < 0.6), critic=critic, simulated=True)
        for i in range(20)
        for critic in (None, "bundled")
    ]


def _figure(mean: float, n: int = 100) -> dict[str, Any]:
    return {"mean": mean, "low": mean - 0.03, "high": mean + 0.03, "n": n}


def _scaling(lift: float) -> dict[str, Any]:
    def family(name: str, start: float, preferred: bool) -> dict[str, Any]:
        sizes = []
        for i in range(4):
            measures = {"cbi": _figure(start + 0.1 * i), **({"preferred": _figure(0.6)} if preferred else {})}
            sizes.append({"flops": 10.0 ** (15 + i), "measures": measures})
        return {"name": name, "sizes": sizes}

    return {"measure": "cbi", "families": [family("rl", 0.35 + lift / 100, True), family("sft", 0.2, False)]}


def _discriminators() -> dict[str, Any]:
    sizes = [{"flops": 10.0 ** (15 + i), "measures": {"log_loss": _figure(0.69 - 0.1 * i)}} for i in range(4)]
    return {"families": [{"name": "discriminator", "sizes": sizes}], "wrong_tenth": {"bundled": _figure(0.54)}}


def _study(lift: float) -> dict[str, Any]:
    def arm(policy: str, way: str, dial: int | None, found: float, spurious: float) -> dict[str, Any]:
        name = policy + (f"+{way}" if way else "") + ("" if dial is None else f"@{dial}")
        measures = {
            "cbi_fix": _figure(found),
            "cbi_claim": _figure(found),
            "cbi_place": _figure(found + 0.1),
            "spurious": _figure(spurious),
        }
        return {"name": name, "policy": policy, "way": way, "dial": dial, "measures": measures}

    arms = [arm("ppo", "fsbs", d, 0.3 + d / 500 + lift / 100, 0.2 + d / 100) for d in (10, 25, 50, 75)]
    arms += [arm("sft", "fsbs", d, 0.2 + d / 500, 0.4 + d / 100) for d in (10, 25, 50, 75)]
    arms += [arm("ppo", "", None, 0.3, 0.4), arm("no-tampered", "", None, 0.05, 0.8)]
    moved = {"from": "ppo", "to": "no-tampered", "measures": {"cbi_fix": _figure(-0.25)}}
    frontier = {"point": "sft+fsbs@50", "frontier": "ppo+fsbs", "verdict": "below"}
    return {"items": 50, "simulated": True, "arms": arms, "differences": [moved], "frontiers": [frontier]}


def _json(path: Path, body: dict[str, Any]) -> None:
    path.write_text(json.dumps(body))
