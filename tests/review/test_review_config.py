"""Settings: who wins, what is refused, and what is said of a mistake."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from momus.folders import user_folder
from momus.review.config import Config, ConfigError, Settings


def config(home: Path, **asked: object) -> Config:
    environment = {"HOME": str(home), **asked.pop("environment", {})}  # type: ignore[dict-item]
    return Config(environment=environment, **asked)  # type: ignore[arg-type]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_nearest_file_that_sets_a_key_decides_that_key(tmp_path: Path):
    write(tmp_path / "pyproject.toml", "[tool.momus]\nmax-findings = 3\nmin-confidence = 0.5\n")
    write(tmp_path / "sub" / "momus.toml", "max-findings = 7\n")
    write(tmp_path / "sub" / "deep" / "pyproject.toml", "[tool.other]\nx = 1\n")
    settings = config(tmp_path / "home")
    assert settings.near(tmp_path / "a.py").max_findings == 3
    below = settings.near(tmp_path / "sub" / "deep" / "a.py")
    assert (below.max_findings, below.min_confidence) == (7, 0.5)
    assert below.origin["max-findings"] == str(tmp_path / "sub" / "momus.toml")


def test_the_command_line_wins_over_environment_over_project_over_user(tmp_path: Path):
    home = tmp_path / "home"
    write(user_folder("config", {"HOME": str(home)}) / "momus.toml", "seed = 1\nmax-findings = 1\nfail-on = 'high'\n")
    write(tmp_path / "momus.toml", "max-findings = 2\nmin-confidence = 0.2\ncache = false\n")
    found = config(
        home,
        environment={"MOMUS_MIN_CONFIDENCE": "0.3", "MOMUS_CACHE": "true", "MOMUS_DATA": "x"},
        overrides=("cache=false",),
        options={"min_confidence": 0.4, "critic": None},
    ).near(tmp_path / "a.py")
    assert (found.seed, found.fail_on, found.max_findings, found.min_confidence) == (1, "high", 2, 0.4)
    assert found.cache is False
    assert found.origin["min-confidence"] == "--min-confidence"
    assert found.origin["cache"] == "--config"


def test_isolated_reads_no_files_and_no_environment(tmp_path: Path):
    write(tmp_path / "momus.toml", "nonsense = 2\n")
    found = config(tmp_path, environment={"MOMUS_SEED": "4"}, isolated=True, overrides=("seed=5",))
    assert found.near(tmp_path / "a.py") == Settings(seed=5)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("max-finding = 3", "did you mean 'max-findings'"),
        ("max_findings = 3", "did you mean 'max-findings'"),
        ("zebra = 3", "known are baseline, budget-dollars"),
        ("max-findings = -1", "whole number from 0"),
        ("max-findings = true", "whole number from 0"),
        ("min-confidence = 2", "from 0 to 1"),
        ("fail-on = 'severe'", "never, low, medium or high"),
        ("exclude = 'x'", "a list of texts"),
        ("ignore = ['of-by-one']", "did you mean 'off-by-one'"),
        ("output-format = 'pdf'", "one of text"),
        ("critic = 3", "a text"),
        ("x = ", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_its_mend(tmp_path: Path, line: str, said: str):
    path = write(tmp_path / "momus.toml", line + "\n")
    with pytest.raises(ConfigError) as error:
        config(tmp_path / "home").near(tmp_path / "a.py")
    assert said in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        "base-url = 'http://evil.example'",
        "headers = {a = 'b'}",
        "api_key = 'x'",
        "openai-api-key = 'x'",
        "MOMUS_API_KEY = 'x'",
        "server-token = 'x'",
        "client_secret = 'x'",
        "budget-tokens = 1000000",
        "budget_dollars = 1000.0",
        "prices = '0,0'",
        "critic = 'server:gpt@http://evil.example/v1'",
        "critic = 'local:./weights'",
        "critic = 'local:qwen2.5-coder-7b'",
        "critic = 'examples+local:./weights'",
        "critic = ' LOCAL:weights.gguf'",
    ],
)
def test_a_repositorys_file_may_not_say_where_code_is_sent(tmp_path: Path, line: str):
    write(tmp_path / "pyproject.toml", f"[tool.momus]\n{line}\n")
    with pytest.raises(ConfigError, match="repository's file"):
        config(tmp_path / "home").near(tmp_path / "a.py")


@pytest.mark.parametrize("key", ["model", "weights", "from", "sha256", "repository", "hf-endpoint", "models.tiny.file"])
def test_no_setting_names_a_model_or_where_it_comes_from(tmp_path: Path, key: str):
    write(tmp_path / "momus.toml", f"{key} = 'evil/model'\n")
    with pytest.raises(ConfigError, match="unknown setting"):
        config(tmp_path / "home").near(tmp_path / "a.py")


def test_others_projects_are_not_parsed_and_a_broken_one_of_theirs_is_not_our_matter(tmp_path: Path):
    write(tmp_path / "pyproject.toml", "[tool.black\n")
    assert config(tmp_path / "home").near(tmp_path / "a.py") == Settings()


def test_values_on_the_command_line_need_no_quotes(tmp_path: Path):
    overrides = ("exclude=a/, b/", "fail-on=high", 'critic="linter:ruff"', "gitignore=false", "min-confidence=0.5")
    found = config(tmp_path, overrides=overrides, isolated=True).near(tmp_path)
    assert found == Settings(
        exclude=("a/", "b/"), fail_on="high", critic="linter:ruff", gitignore=False, min_confidence=0.5
    )


@pytest.mark.parametrize("override", ["seed", "sed=1", "seed=x"])
def test_a_bad_override_is_refused_before_any_file_is_looked_at(tmp_path: Path, override: str):
    with pytest.raises(ConfigError):
        config(tmp_path, overrides=(override,), isolated=True)


@pytest.mark.skipif(sys.platform != "linux", reason="names the folders of Linux")
def test_user_folders_are_the_platforms(tmp_path: Path):
    assert user_folder("cache", {"HOME": "/h"}) == Path("/h/.cache/momus")
    assert user_folder("config", {"HOME": "/h", "XDG_CONFIG_HOME": "/c"}) == Path("/c/momus")
