"""A family of sizes whose scores are known beforehand, and the stages that a family is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from momus.critique import Comment, Critique, Span
from momus.measure.item import Item
from momus.records import Bug, Comparison, Sampled, Tamper, Task, read_jsonl, write_jsonl
from momus.study.config import StudyConfig, load_study
from momus.study.graph import Job, Stage, in_order, read_manifest, run
from momus.study.plan import plan
from momus.study.scaling import REFERENCE, RL, SCALING, SFT, Member, scaling
from momus.train.config import ModelConfig, TrainConfig
from momus.train.examples import Example, ExampleFile

TINY = Path(__file__).parents[2] / "study" / "tiny.toml"
TWIN = "def last(xs):\n    n = len(xs)\n    return xs[n - 1]\n"
WRONG, RIGHT = "return xs[n]", "return xs[n - 1]"
SIZES = {"a": 16, "b": 32, "c": 64, "d": 128}
FINDS = {
    **{(RL, name): finds for name, finds in zip("abcd", (4, 6, 8, 10), strict=True)},
    **{(SFT, name): finds for name, finds in zip("abcd", (1, 3, 5, 7), strict=True)},
}
COUNT = 12


def config() -> StudyConfig:
    return load_study(TINY)


def tampers() -> list[Tamper]:
    answer = TWIN.replace(RIGHT, WRONG)
    bug = Bug(spans=(span(answer),), category="off-by-one", suggestion=RIGHT, operator="past-end")
    return [
        Tamper(task=Task(id=f"t{i}", question="", answer=answer, group=f"g{i}"), twin=TWIN, bugs=(bug,))
        for i in range(COUNT)
    ]


def span(answer: str) -> Span:
    return Span(answer.index(WRONG), answer.index(WRONG) + len(WRONG))


def critiques(path: Path, finds: int) -> None:
    """The first `finds` bugs are found and mended; of the rest nothing is said."""
    rows = []
    for i, tamper in enumerate(tampers()):
        item = Item.of(tamper)
        comment = Comment(span(tamper.task.answer), "Past the end.", "off-by-one", suggestion=RIGHT)
        said = Critique((comment,)) if i < finds else Critique()
        rows += [Sampled(task_id=item.task.id, critic="c", critique=said), Sampled(task_id=item.twin.id, critic="c")]
    write_jsonl(path, rows)


def trained(folder: Path, hidden: int) -> Path:
    """What a training stage of such a size leaves of itself."""
    folder.mkdir(parents=True)
    own = config()
    size = ModelConfig(hidden=hidden, layers=2, heads=2, kv_heads=1, head_dim=16, ffn=2 * hidden)
    told = TrainConfig(name="x", model=size, pretrain=own.pretrain, scan=own.scan, sft=own.sft)
    (folder / "manifest.json").write_text(json.dumps({"config": told.model_dump(mode="json")}))
    (folder / "metrics.jsonl").write_text('{"step": 1, "tokens": 1000}\n')
    parts: Any = [[1] * 40] * 4
    ExampleFile.write(folder / "examples.npz", [Example(*parts)])
    return folder


@pytest.fixture(scope="module")
def summed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    root = tmp_path_factory.mktemp("family")
    inputs = {"items": root / "items", "measure-sft-1": root / "reference"}
    write_jsonl(root / "items" / "items.jsonl", tampers())
    critiques(root / "reference" / "gate.jsonl", 3)
    members = []
    for name, hidden in SIZES.items():
        inputs[f"{name}-pretrain"] = trained(root / f"{name}-pretrain", hidden)
        inputs[f"{name}-scan"] = trained(root / f"{name}-scan", hidden)
        for family in (RL, SFT):
            inputs[f"{name}-{family}"] = root / f"{name}-{family}"
            critiques(root / f"{name}-{family}" / "gate.jsonl", FINDS[family, name])
        measured = {family: f"{name}-{family}" for family in (RL, SFT)}
        members.append(Member(name, (f"{name}-pretrain", f"{name}-scan"), measured))
    out = root / "scaling"
    out.mkdir()
    assert scaling(config(), members, Job(out, inputs))
    return json.loads((out / SCALING).read_text(encoding="utf-8")), out


def test_every_size_has_its_compute_and_its_measures(summed: tuple[dict[str, Any], Path]) -> None:
    families = {family["name"]: family["sizes"] for family in summed[0]["families"]}
    assert set(families) == {RL, SFT}
    for family, sizes in families.items():
        assert [size["name"] for size in sizes] == ["a", "b", "c", "d"]
        assert [size["measures"]["cbi_fix"]["mean"] for size in sizes] == pytest.approx(
            [FINDS[family, size["name"]] / COUNT for size in sizes], abs=1e-6
        )
        costs = [size["flops"] for size in sizes]
        assert costs == sorted(costs) and all(size["tokens"] == 2000 for size in sizes)
        assert all(size["flops"] > 6 * size["parameters"] * size["tokens"] for size in sizes)


def test_preference_is_against_one_critic_ties_half(summed: tuple[dict[str, Any], Path]) -> None:
    families = {family["name"]: family["sizes"] for family in summed[0]["families"]}
    for family, sizes in families.items():
        for size in sizes:
            more = FINDS[family, size["name"]] - 3  # than the reference finds; where both do the same they tie
            assert size["measures"]["preferred"]["mean"] == pytest.approx(0.5 + more / 2 / COUNT, abs=1e-6)
    comparisons = list(read_jsonl(summed[1] / "rated" / "comparisons.jsonl", Comparison))
    assert all(REFERENCE in {s.critic for s in c.critiques} and len(c.critiques) == 2 for c in comparisons)
    assert {c.critiques[0].critic == REFERENCE for c in comparisons} == {True, False}, "in no fixed order"
    assert "simulated rater (oracle)" in summed[0]["simulated"]


def test_the_multiplier_is_that_of_the_lines(summed: tuple[dict[str, Any], Path]) -> None:
    """Every size finds two bugs more than the one before, and RL three more than SFT: one and a half sizes ahead."""
    body = summed[0]
    costs = [size["flops"] for size in body["families"][0]["sizes"]]
    a_size = (costs[-1] / costs[0]) ** (1 / 3)
    assert body["higher"] == RL and body["lower"] == SFT
    assert body["multiplier"]["factor"]["mean"] == pytest.approx(a_size**1.5, rel=0.15)
    assert body["multiplier"]["factor"]["low"] > 1


def stages(changed: dict[str, Any] | None = None) -> dict[str, Stage]:
    study = config().model_copy(update=changed or {})
    return {stage.name: stage for stage in in_order(plan(study))}


def test_sizes_share_all_that_does_not_go_by_size() -> None:
    found = stages()
    assert found["scaling-xs-pretrain"].inputs == ("split", "tokenizer")
    assert found["scaling-xs-ppo"].inputs[:2] == ("scaling-xs-sft-1", "reward-2"), "the study's own reward model"
    assert found["scaling-xs-measure-ppo"].inputs == ("items", "scaling-xs-bundle-ppo")
    assert found["scaling-xs-pretrain"].settings["model"]["hidden"] == 32
    assert found["scaling-xs-pretrain"].settings["model"]["kv_heads"] == config().model.kv_heads
    assert {"pretrain", "scan", "measure-sft-1", "measure-ppo-1"} <= set(found["scaling"].inputs), "its own model too"
    assert found["scaling"].settings["sizes"] == ["xs", "s", "l", "own"]
    assert {f"scaling-{size}-discriminator" for size in ("xs", "s", "l", "own")} <= set(found["discriminators"].inputs)
    assert [name for name in stages({"scaling": None}) if "scaling" in name or "discriminator" in name] == []


def test_a_model_that_was_trained_elsewhere_is_no_size_of_the_family(tmp_path: Path) -> None:
    start = config().start.model_copy(update={"pretrain": tmp_path})
    assert stages({"start": start})["scaling"].settings["sizes"] == ["xs", "s", "l"]
    assert stages({"variants": ()})["scaling"].settings["sizes"] == ["xs", "s", "l"], "PPO has no gated critiques there"


def test_a_renamed_stage_sees_its_inputs_under_their_old_names(tmp_path: Path) -> None:
    from momus.study.family import _renamed

    seen: list[dict[str, str]] = []

    def work(job: Job) -> bool:
        seen.append({name: path.name for name, path in job.inputs.items()})
        (job.folder / "x").write_text("")
        return True

    shared, own = Stage("corpus", work, ("x",)), Stage("pretrain", work, ("x",), ("corpus",))
    names = {"pretrain": "big-pretrain", "scan": "big-scan"}
    scan = _renamed(replace(own, name="scan", inputs=("corpus", "pretrain")), names)
    assert run(in_order([shared, _renamed(own, names), scan]), tmp_path)
    assert seen == [{}, {"corpus": "corpus"}, {"corpus": "corpus", "pretrain": "big-pretrain"}]


def test_what_a_stage_has_cost_stands_in_its_manifest(tmp_path: Path) -> None:
    def work(job: Job) -> bool:
        (job.folder / "compute.json").write_text('{"flops": 1.5e12}')
        return True

    assert run([Stage("a", work, ())], tmp_path)
    manifest = read_manifest(tmp_path, "a")
    assert manifest is not None and manifest["flops"] == 1.5e12
