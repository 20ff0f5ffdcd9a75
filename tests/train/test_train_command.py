"""`momus train` from a corpus to a bundle, and what it says where something is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from momus.cli import main
from momus.errors import MomusError
from momus.models.bundled import read_about
from momus.train.lineage import lineage
from tiny_run import TinyRun


@pytest.fixture
def momus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run the command line in a bare folder: the exit code, and what stands on stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["momus", *map(str, arguments)])
        with pytest.raises(SystemExit) as exited:
            main()
        code = exited.value.code
        assert isinstance(code, int)
        return code, capsys.readouterr().err

    return run


def test_every_stage_finishes_and_says_where(tiny_run: TinyRun) -> None:
    for stage in ("pretrain", "scan", "sft"):
        assert tiny_run.results[stage].exit_code == 0
        assert f"finished: {tiny_run.folder / stage}" in tiny_run.results[stage].stderr
        assert (tiny_run.folder / stage / "model.safetensors").is_file()
        assert tiny_run.metrics(stage)[-1]["tokens"] >= 6_000
    assert {"loss_scan", "loss_decision", "loss_comment", "loss_code"} <= set(tiny_run.metrics("sft")[-1])


def test_export_prints_what_the_gate_does_and_writes_a_whole_bundle(tiny_run: TinyRun) -> None:
    report = json.loads(tiny_run.results["bundle8"].stdout)
    assert report["pairs"] == 30
    assert report["clean_flagged"] <= 0.1
    about = read_about(tiny_run.bundle8)
    assert about["fitted_on"] == report and about["weights"]["bits"] == 8 and about["name"] == "tiny"
    assert about["training"]["config"]["name"] == "tiny" and about["training"]["last"]["tokens"] >= 8_000
    assert {path.name for path in tiny_run.bundle8.iterdir()} == {
        *("bundle.json", "graph.onnx", "weights.bin", "tokenizer.json", "ngram.npz", "MODEL_CARD.md", "__init__.py")
    }
    card = (tiny_run.bundle8 / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "# Model card: tiny" in card and "weights in 8 bits" in card and "8,000 tokens" in card


def test_a_finished_stage_is_not_run_again(tiny_run: TinyRun) -> None:
    from click.testing import CliRunner

    from momus.cli.train import command

    folder = tiny_run.folder
    before = (folder / "sft" / "state.pt").stat().st_mtime_ns, tiny_run.metrics("sft")
    arguments = ["--config", folder / "tiny.toml", "--corpus", folder / "corpus", "--tokenizer", folder / "tokenizer"]
    more = ["--from", folder / "scan", "--out", folder / "sft"]
    again = CliRunner().invoke(command, ["sft", *map(str, arguments), *map(str, more)], catch_exceptions=False)
    assert again.exit_code == 0 and "finished" in again.stderr
    assert before == ((folder / "sft" / "state.pt").stat().st_mtime_ns, tiny_run.metrics("sft"))


@pytest.mark.parametrize("verb", ["pretrain", "scan", "sft", "export"])
def test_help_has_an_example(verb: str) -> None:
    from click.testing import CliRunner

    from momus.cli.train import command

    said = CliRunner().invoke(command, [verb, "--help"])
    assert said.exit_code == 0 and f"Example: momus train {verb}" in said.output


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom momus.cli import cli\n"
        "try: cli(['train', '--help'])\nexcept SystemExit: pass\n"
        "heavy = ('torch', 'transformers', 'numpy', 'onnxruntime', 'pydantic', 'rich')\n"
        "print('HEAVY', [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "pretrain" in done.stdout and "HEAVY []" in done.stdout


def one_sentence(done: tuple[int, str], *words: str) -> None:
    code, said = done
    assert code == 2, said
    assert said.startswith("momus: ") and said.count("\n") == 1, said
    for word in words:
        assert word in said


def test_missing_inputs_are_one_sentence_each(
    momus: Callable[..., tuple[int, str]], tmp_path: Path, tiny_corpus: Path
) -> None:
    """In a bare folder nothing that a stage needs is there: each says what, and how to get it."""
    config, corpus = tiny_corpus / "tiny.toml", tiny_corpus / "corpus"
    tokenizer, ngram = tiny_corpus / "tokenizer", tiny_corpus / "ngram" / "ngram.npz"
    one_sentence(momus("train", "pretrain"), "no config at", "configs/")
    one_sentence(momus("train", "pretrain", "--config", config), "momus train corpus")
    one_sentence(
        momus("train", "pretrain", "--config", config, "--corpus", corpus, "--jobs", "1"), "can't read the tokenizer"
    )
    for verb in ("scan", "sft"):
        one_sentence(
            momus("train", verb, "--config", config, "--corpus", corpus, "--tokenizer", tokenizer),
            "no checkpoint in",
            "run the stage before this one first",
        )
    one_sentence(momus("train", "export", "--corpus", corpus, "--ngram", ngram), "no checkpoint in", "momus train sft")
    assert not list(tmp_path.glob("**/*.partial"))


def test_an_unreadable_extra_file_is_one_sentence(
    momus: Callable[..., tuple[int, str]], tmp_path: Path, tiny_run: TinyRun
) -> None:
    folder = tiny_run.folder
    stage = ["--config", folder / "tiny.toml", "--corpus", folder / "corpus", "--tokenizer", folder / "tokenizer"]
    stage += ["--from", folder / "pretrain", "--jobs", "1"]
    one_sentence(momus("train", "sft", *stage, "--also", "absent.jsonl"), "cannot read absent.jsonl")
    (tmp_path / "bad.jsonl").write_text("{}\n")
    one_sentence(momus("train", "sft", *stage, "--also", "bad.jsonl"), "bad.jsonl:1: not a task")
    (tmp_path / "unmarked.jsonl").write_text('{"id": "a", "question": "q", "answer": "x = 1"}\n')
    one_sentence(momus("train", "sft", *stage, "--also", "unmarked.jsonl"), "no record whose split is train")


def test_a_stage_begun_with_other_data_is_refused(
    momus: Callable[..., tuple[int, str]], tmp_path: Path, tiny_run: TinyRun
) -> None:
    """Other examples would be trained on as if they were the same."""
    folder = tiny_run.folder
    other = tmp_path / "other.toml"
    stage = ["--config", other, "--corpus", folder / "corpus", "--tokenizer", folder / "tokenizer"]
    stage += ["--from", folder / "scan", "--out", folder / "sft"]
    for before, after, what in (
        ("max_tokens = 500", "max_tokens = 400", "max_tokens"),
        ("[sft.optim]", "[sft]\nfunctions = 3\n\n[sft.optim]", "functions"),
    ):
        text = (folder / "tiny.toml").read_text()
        assert before in text
        other.write_text(text.replace(before, after, 1))
        one_sentence(momus("train", "sft", *stage), f"was begun with another {what}", "name a new --out")


def test_a_tokenizer_of_another_model_is_refused(
    momus: Callable[..., tuple[int, str]], tmp_path: Path, tiny_run: TinyRun
) -> None:
    from momus.corpus.tokenizer import train
    from momus.models.dialect import SPECIALS

    train(["def f(x): return x"] * 9, SPECIALS, tmp_path / "small" / "tokenizer.json", size=440)
    folder = tiny_run.folder
    stage = ["--config", folder / "tiny.toml", "--corpus", folder / "corpus", "--tokenizer", tmp_path / "small"]
    one_sentence(momus("train", "sft", *stage, "--from", folder / "scan"), "give the tokenizer that it was trained")


def export_arguments(run: TinyRun, **changed: Path) -> list[str | Path]:
    folder = run.folder
    options = {"corpus": folder / "corpus", "tokenizer": folder / "tokenizer", "from": folder / "sft"}
    options |= {"ngram": folder / "ngram" / "ngram.npz", "out": Path("exported"), **changed}
    return ["train", "export", "--pairs", "20", *(part for name in options for part in (f"--{name}", options[name]))]


def test_export_never_removes_a_folder_that_is_no_bundle(
    momus: Callable[..., tuple[int, str]], tmp_path: Path, tiny_run: TinyRun
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    one_sentence(momus(*export_arguments(tiny_run, out=precious)), "holds something else than a bundle")
    one_sentence(momus(*export_arguments(tiny_run, out=tmp_path)), "holds something else than a bundle")
    assert (precious / "thesis.txt").read_text() == "years of work"


def test_export_names_what_it_lacks(momus: Callable[..., tuple[int, str]], tmp_path: Path, tiny_run: TinyRun) -> None:
    one_sentence(momus(*export_arguments(tiny_run, ngram=tmp_path / "no.npz")), "no.npz is not there")
    one_sentence(momus(*export_arguments(tiny_run, tokenizer=tmp_path)), "tokenizer.json is not there")
    one_sentence(momus(*export_arguments(tiny_run, corpus=tmp_path)), "momus train corpus")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_bytes((tiny_run.folder / "sft" / "config.json").read_bytes())
    (broken / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0 no json")
    one_sentence(momus(*export_arguments(tiny_run, **{"from": broken})), "no checkpoint in")
    assert not (tmp_path / "exported").exists()


def test_a_damaged_checkpoint_is_one_sentence(
    momus: Callable[..., tuple[int, str]], tmp_path: Path, tiny_run: TinyRun
) -> None:
    folder = tiny_run.folder
    (tmp_path / "config.json").write_bytes((folder / "scan" / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes((folder / "scan" / "model.safetensors").read_bytes()[:999])
    stage = ["--config", folder / "tiny.toml", "--corpus", folder / "corpus", "--tokenizer", folder / "tokenizer"]
    one_sentence(momus("train", "sft", *stage, "--from", tmp_path), "cannot be read", "run its stage again")


def test_a_bundle_says_what_its_policy_has_gone_through(tiny_run: TinyRun) -> None:
    found = lineage(tiny_run.folder / "sft")
    assert [manifest["stage"] for manifest in found] == ["pretrain", "scan", "sft"]
    assert lineage(tiny_run.folder / "scan") == found[:2] and lineage(tiny_run.folder / "nowhere") == []
    stages = read_about(tiny_run.bundle8)["training"]["stages"]
    assert stages == [{"stage": m["stage"], "tokens": m["config"][m["stage"]]["optim"]["tokens"]} for m in found]


@pytest.mark.parametrize("content", ["{", "[]", "\xff"])
def test_a_broken_manifest_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content, encoding="latin-1")
    with pytest.raises(MomusError, match=r"manifest\.json .*what the checkpoint has seen"):
        lineage(tmp_path)
