"""Every study that ships is read and can be planned; a wrong one is one sentence that names the setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from momus.errors import MomusError
from momus.study.config import load_study
from momus.study.graph import Stage, in_order, run
from momus.study.plan import plan

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "study").glob("*.toml"))
TINY = ROOT / "study" / "tiny.toml"


def changed(tmp_path: Path, before: str, after: str) -> Path:
    text = TINY.read_text(encoding="utf-8")
    assert before in text
    path = tmp_path / "study.toml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return path


def stages(path: Path) -> dict[str, Stage]:
    return {stage.name: stage for stage in in_order(plan(load_study(path)))}


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_every_study_that_ships_is_read(path: Path) -> None:
    study = load_study(path)
    assert study.name and study.fsbs.settings.candidates >= 1
    for optim in (study.pretrain.optim, study.scan.optim, study.sft.optim):
        assert optim.micro_tokens <= optim.batch_tokens
    assert study.training(7).seed == 7 and study.training(7).model == study.model


def test_there_is_a_tiny_one_and_those_that_are_published() -> None:
    assert {"tiny.toml", "small.toml", "scaling.toml"} <= {path.name for path in STUDIES}
    scaling = load_study(ROOT / "study" / "scaling.toml").scaling
    assert scaling is not None and len(scaling.sizes) + 1 >= 4, "the study's own model is one more"
    small = load_study(ROOT / "study" / "small.toml")
    assert len(small.seeds) == 3 and small.fsbs.settings.candidates == 28
    assert set(small.variants) == {"no-tampered", "no-rm", "rl-no-fsbs", "fsbs-no-rl", "rloo"}
    assert small.measure.tasks == Path("benchmarks/heldout.jsonl")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("rounds = 2", "round = 2", "there is no setting round"),
        ("linter_keep = 1.0", "linter_kept = 1.0", "there is no setting tamper.linter_kept"),
        ('"rloo"]', '"grpo"]', "variants.4: input should be"),
        ("seeds = [1, 2]", "seeds = [1, 1]", "seeds holds a value twice"),
        ("functions = 16", "functions = 16\nmisses = 4", "cannot be missed 4 times in 3 tries"),
        ("rounds = 2", "rounds = 0", "rounds"),
        ("bits = 32", "bits = 8", "the size xs cannot become a bundle of 8 bits, as 48 is no multiple of 32"),
        ("[sample]", "[sample", "is not TOML"),
        ("rollouts = 8", "rollouts = 7", "rollouts (7) must be a multiple"),
        ('name = "tiny"', "base = 3", "base: name the file"),
        ('name = "xs"', 'name = "own"', "each size needs a name of its own"),
        ('name = "xs"', 'name = "s"', "each size needs a name of its own"),
        ('name = "xs"', 'name = "x-s"', "scaling.sizes.0.name"),
        ('name = "xs", hidden = 32', 'name = "xs", kv_heads = 2, hidden = 32', "the size xs: Value error, 1 heads"),
        ('name = "tiny"', 'base = "absent.toml"', "no config at"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, before: str, after: str, words: str) -> None:
    with pytest.raises(MomusError) as error:
        load_study(changed(tmp_path, before, after))
    assert words in str(error.value) and "\n" not in str(error.value)


def test_what_a_study_leaves_out_comes_from_its_base(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(TINY.read_text(encoding="utf-8"), encoding="utf-8")
    own = tmp_path / "own.toml"
    own.write_text('base = "base.toml"\nname = "own"\n[sft.optim]\nlr = 0.5\n', encoding="utf-8")
    study, tiny = load_study(own), load_study(TINY)
    assert study.name == "own" and study.sft.optim.lr == 0.5
    assert study.sft.optim.tokens == tiny.sft.optim.tokens and study.model == tiny.model


def test_rounds_and_seeds_and_variants_make_the_stages() -> None:
    found = stages(TINY)
    assert found["tamper-1"].inputs == ("split",)
    assert found["tamper-2"].inputs == ("split", "critic-2"), "the second round tampers against the newest critic"
    assert found["critic-2"].inputs[0] == "ppo-1-1"
    assert {"rate-1", "rate-2"} <= set(found["reward-2"].inputs) and found["reward-2"].inputs[0] == "sft-1"
    assert found["ppo-2-2"].inputs[:2] == ("sft-2", "reward-2") and "ppo-1-2" not in found
    assert "reward-no-tampered" in found["ppo-no-tampered"].inputs
    assert found["ppo-rloo"].settings["estimator"] == "rloo" and found["ppo-2-1"].settings["estimator"] is None
    assert found["measure-sft-1"].settings["ways"] == ["gate", "policy", "fsbs", "best"]
    assert found["measure-sft-2"].settings["ways"] == ["gate", "policy"]
    assert list(found)[-1] == "report"


def test_without_variants_only_sft_and_ppo_are_left(tmp_path: Path) -> None:
    found = stages(changed(tmp_path, '["no-tampered", "no-rm", "rl-no-fsbs", "fsbs-no-rl", "rloo"]', "[]"))
    assert not [name for name in found if "rloo" in name or "no-tampered" in name]
    assert found["measure-sft-1"].settings["ways"] == ["gate", "policy"]
    assert found["measure-ppo-1"].settings["ways"] == ["policy", "fsbs"]


def test_a_setting_changes_the_stages_that_it_decides_and_no_other(tmp_path: Path) -> None:
    before, after = stages(TINY), stages(changed(tmp_path, "max_new = 32", "max_new = 33"))
    differing = {name for name in before if before[name].settings != after[name].settings}
    sized = {f"scaling-{size}-ppo" for size in ("xs", "s", "l")}
    assert differing == {name for name in before if name.startswith("ppo-")} | sized | {"results"}


def test_a_start_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    path = changed(tmp_path, "[corpus.modules]", '[start]\nscan = "nowhere/scan"\n[corpus.modules]')
    with pytest.raises(MomusError, match=r"no config.json in nowhere/scan, which the section \[start\] names for scan"):
        run(in_order(plan(load_study(path))), tmp_path / "out")
    assert "pretrain" not in stages(path)


def test_natural_bugs_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOMUS_DATA", raising=False)
    path = changed(tmp_path, "[report]", '[report]\nnatural = "nowhere.jsonl"')
    with pytest.raises(MomusError, match=r"no nowhere\.jsonl, which report\.natural names"):
        plan(load_study(path))
    (tmp_path / "nowhere.jsonl").write_text("", encoding="utf-8")
    monkeypatch.setenv("MOMUS_DATA", str(tmp_path))
    assert stages(path)["report-items"].settings["natural"] != stages(TINY)["report-items"].settings["natural"]


def test_tasks_that_are_missing_are_named(tmp_path: Path) -> None:
    path = changed(tmp_path, "limit = 8", 'limit = 8\ntasks = "nowhere.jsonl"')
    with pytest.raises(MomusError, match=r"no nowhere\.jsonl, which measure\.tasks names"):
        plan(load_study(path))
