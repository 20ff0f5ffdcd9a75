"""One string opens a critic; what it can't open it says in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from momus.critics import CRITICS, TRIVIAL, open_critic
from momus.errors import MomusError
from momus.linters import NAMES


@pytest.mark.parametrize("name", ["empty", "everything", "random", "linter:ruff"])
def test_a_critic_bears_the_name_it_was_opened_by(name: str) -> None:
    assert open_critic(name).name == name


def test_every_linter_and_every_baseline_has_a_name() -> None:
    assert {f"linter:{name}" for name in NAMES} == {name for name in CRITICS if name.startswith("linter:")}
    assert set(TRIVIAL) <= set(CRITICS)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("linter:pylnt", "there is no critic 'linter:pylnt': did you mean linter:pylint\\? known are auto, "),
        ("bundeld", "did you mean bundled\\?"),
        ("qqq", "there is no critic 'qqq': known are auto"),
        ("", "there is no critic ''"),
    ],
)
def test_an_unknown_name_lists_the_known_ones_and_the_nearest(name: str, sentence: str) -> None:
    with pytest.raises(MomusError, match=sentence):
        open_critic(name)


def test_an_option_that_a_critic_does_not_take_is_refused() -> None:
    with pytest.raises(MomusError, match="the critic random takes no option 'colour': its options are comments"):
        open_critic("random", colour="red")
    with pytest.raises(MomusError, match="its options are none"):
        open_critic("empty", comments=1)


def test_a_bundle_without_a_5_gram_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match=r"there is no ngram\.npz in .*give the folder of a bundle"):
        open_critic("surprisal", bundle=tmp_path)


def test_naming_a_critic_loads_nothing_heavy() -> None:
    code = (
        "import sys, momus.critics.registry; print([m for m in ('numpy', 'onnxruntime', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
