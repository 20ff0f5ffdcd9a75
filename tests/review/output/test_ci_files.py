"""The files by which others run a review: they parse, say what they should, and no input can become a command."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from momus.models.catalogue import catalogue, default_model
from momus.review.output import FORMATS
from weights_served import serving, surroundings

ROOT = Path(__file__).parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = [step for step in ACTION["runs"]["steps"] if "run" in step]
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def review_command() -> click.Command:
    from momus.cli.review import command

    return command


def test_the_hook_is_one_serial_run_before_a_push() -> None:
    assert HOOK["id"] == "momus-review"
    assert HOOK["entry"] == "momus review"
    assert HOOK["language"] == "python"
    assert HOOK["require_serial"] is True
    assert HOOK["stages"] == ["pre-push", "manual"]
    assert HOOK["types_or"] == ["python", "jupyter"]


def test_the_action_is_composite_and_uses_one_other_action_by_its_commit() -> None:
    assert ACTION["runs"]["using"] == "composite"
    (kept,) = [step for step in ACTION["runs"]["steps"] if "uses" in step]
    assert re.fullmatch(r"actions/cache@[0-9a-f]{40}", kept["uses"])
    assert all(step["shell"] == "bash" for step in STEPS)
    assert {"paths", "diff", "fail-on", "min-confidence", "model"} <= set(ACTION["inputs"])
    assert all("default" in one and one["description"] for one in ACTION["inputs"].values())


def test_no_expression_stands_in_a_script_and_no_secret_anywhere() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    for step in STEPS:
        assert "${{" not in step["run"]
        assert all(name in step["run"] for name in step.get("env", {}) if not name.startswith("PYTHON"))


def test_only_the_upload_has_the_token() -> None:
    holders = [step["name"] for step in STEPS if "inputs.token" in str(step.get("env", {}))]
    assert holders == ["Upload to code scanning"]
    (upload,) = [step for step in STEPS if step["name"] in holders]
    assert upload["if"] == "inputs.upload-sarif == 'true'"


def test_the_action_and_its_guide_use_options_and_formats_that_exist() -> None:
    known = {option for one in review_command().params for option in one.opts}
    script = "\n".join(line for step in STEPS for line in step["run"].split("\n") if "momus" in line or "arg" in line)
    guide = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    commands = "\n".join(line for line in guide.split("\n") if "momus review" in line)
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", script + commands))
    elsewhere = {"--quiet", "--disable-pip-version-check", "--no-deps"}
    assert used - elsewhere <= known
    named = re.findall(r"--output-format[ =](\w+)", script + guide)
    assert named and set(named) <= set(FORMATS)
    for name in FORMATS:
        assert f"`{name}`" in guide


def step_of(name: str) -> dict[str, Any]:
    (step,) = [step for step in STEPS if step["name"] == name]
    return step


def run_script(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does: bash on a file, errors fatal, inputs in the environment."""
    script = folder / "step.sh"
    script.write_text(step_of(name)["run"], encoding="utf-8")
    output = folder / "output"
    output.touch()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MOMUS_", "GITHUB_", "CI_"))}
    own = {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    fixed = {key: value for key, value in step_of(name).get("env", {}).items() if "${{" not in value}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=folder,
        env={**kept, **own, **environment, **fixed},  # what a step sets itself, it sets over all else
        capture_output=True,
        text=True,
        timeout=240,
    )


def review_step(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    blank = dict.fromkeys(("IN_DIFF", "IN_FAIL_ON", "IN_MIN_CONFIDENCE", "IN_SARIF_FILE"), "")
    fixed = {"BIN": str(Path(sys.executable).parent), "IN_PATHS": "code.py", "IN_UPLOAD": "false"}
    return run_script("Review", folder, MOMUS_CRITIC="empty", **{**blank, **fixed, **inputs})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text("x = 1\n")
    return tmp_path


def test_the_review_step_reviews_and_keeps_the_exit_code(folder: Path) -> None:
    done = review_step(folder)
    assert done.returncode == 0, done.stderr
    assert "Momus: No findings in 1 file" in done.stdout
    assert (folder / "output").read_text() == "exit-code=0\n"


def test_a_review_that_failed_is_passed_on_as_2(folder: Path) -> None:
    done = review_step(folder, IN_PATHS="code.py\nmissing.py\n")
    assert done.returncode == 0, done.stderr
    assert (folder / "output").read_text() == "exit-code=2\n"
    assert run_script("Result", folder, CODE="2").returncode == 2


def test_the_review_step_writes_sarif_where_it_is_told(folder: Path) -> None:
    done = review_step(folder, IN_SARIF_FILE="out put.sarif")
    assert done.returncode == 0, done.stderr
    assert '"version": "2.1.0"' in (folder / "out put.sarif").read_text()
    assert "sarif-file=out put.sarif\n" in (folder / "output").read_text()


@pytest.mark.parametrize("name", ["IN_PATHS", "IN_DIFF", "IN_FAIL_ON", "IN_MIN_CONFIDENCE", "IN_SARIF_FILE"])
def test_an_input_is_never_run(folder: Path, name: str) -> None:
    review_step(folder, **{name: '$(touch owned) `touch owned`; touch owned "; touch owned; "'})
    assert not (folder / "owned").exists()


def test_a_path_cannot_be_an_option(folder: Path) -> None:
    review_step(folder, IN_PATHS="--output-file=owned")
    assert not (folder / "owned").exists()


def test_every_interpreter_of_the_action_is_isolated() -> None:
    for step in STEPS:
        started = re.findall(r'"\$(?:python|bin/python|BIN/python)" (\S+)', step["run"])
        assert set(started) <= {"-I"}, step["name"]
        assert not re.search(r"\$(?:BIN|bin)/(?!python\b)", step["run"]), step["name"]
        if started:
            fixed = {name: step["env"][name] for name in ("PYTHONSAFEPATH", "PYTHONPATH", "PYTHONHOME")}
            assert fixed == {"PYTHONSAFEPATH": "1", "PYTHONPATH": "", "PYTHONHOME": ""}
    assert "--require-hashes" in step_of("Install momus")["run"]


def test_the_weights_are_here_before_the_checkout_is_read_and_kept_by_their_digest() -> None:
    names = [step["name"] for step in ACTION["runs"]["steps"]]
    assert names.index("Name the weights") < names.index("Keep the weights from run to run")
    assert names.index("Keep the weights from run to run") < names.index("Fetch the weights") < names.index("Review")
    kept = next(step for step in ACTION["runs"]["steps"] if "uses" in step)
    assert kept["with"] == {
        "path": "${{ steps.weights.outputs.folder }}",
        "key": "momus-weights-${{ steps.weights.outputs.sha256 }}",
    }
    assert ACTION["inputs"]["model"]["default"] == default_model()


# What a step would import, did it look into the checkout: its own modules, those of pip and venv, and those of momus.
SHADOWS = (
    *("base64", "gzip", "json", "os", "pathlib", "re", "sys", "subprocess", "tempfile", "urllib"),
    *("venv", "ensurepip", "pip", "hatchling", "editables", "sitecustomize", "usercustomize"),
    *("momus", "click", "pydantic", "huggingface_hub", "openvino", "numpy"),
)
# What pip and builds read: a mirror of the index, commands, a backend. Each would fail, or leave the mark.
SETTINGS = {
    "pip.conf": "[global]\nindex-url = http://127.0.0.1:9/simple\n",
    "setup.cfg": "[easy_install]\nindex_url = http://127.0.0.1:9\n[install]\nprefix = owned\n",
    "setup.py": "import pip\n",
    "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'pip'\nbackend-path = ['.']\n[tool.momus]\n",
    "requirements-base.lock": "nothing==1.0\n",
    "constraints.txt": "click==0.0\n",
}


@pytest.fixture
def hostile(folder: Path) -> Path:
    """A checkout whose files would be imported in place of momus, pip and others, did a step look at it."""
    mark = str(folder / "owned")
    for name in SHADOWS:
        (folder / f"{name}.py").write_text(f"open({mark!r}, 'w').write(__name__)\n")
    for name, text in SETTINGS.items():
        (folder / name).write_text(text)
    (folder / "temporary").mkdir()
    return folder


def test_the_hostile_checkout_would_be_imported_by_what_is_not_isolated(hostile: Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--version"], cwd=hostile, capture_output=True, timeout=60)
    assert (hostile / "owned").exists()


def action_with(lock: str, folder: Path) -> Path:
    """The files that the action installs momus from, with a lock of our own."""
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "requirements-base.lock").write_text(lock)
    return folder


def locked(*names: str) -> str:
    """The entries of these packages in the lock that the action installs."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements-base.lock").read_text(encoding="utf-8"))
    return "\n".join(entry for entry in entries if entry.partition("==")[0] in names) + "\n"


@pytest.mark.parametrize("exchanged", [False, True])
def test_installing_imports_nothing_from_the_checkout_and_takes_files_by_digest_alone(
    hostile: Path, exchanged: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # What builds momus, and click, which is all that its command line needs to say its version.
    lock = locked("hatchling", "editables", "packaging", "pathspec", "pluggy", "trove-classifiers", "click")
    if exchanged:
        lock = re.sub(
            r"(?m)^(click==(?:.*\n)*)", lambda click: re.sub(r"sha256:\w{6}", "sha256:facade", click[1]), lock
        )
    action = action_with(lock, tmp_path_factory.mktemp("action") / "files")
    done = run_script(
        "Install momus",
        hostile,
        GITHUB_ACTION_PATH=str(action),
        RUNNER_TEMP=str(hostile / "temporary"),
        PYTHONPATH=str(hostile),
    )
    assert not (hostile / "owned").exists(), (hostile / "owned").read_text()
    refused = "DO NOT MATCH THE HASHES" in done.stderr
    if done.returncode and not refused and os.environ.get("CI") != "true":
        pytest.skip("pip cannot fetch what builds momus here (no network?)")
    assert (refused, done.returncode != 0) == (exchanged, exchanged), done.stderr
    if exchanged:
        return
    bin_ = (hostile / "output").read_text().strip().removeprefix("bin=")
    said = subprocess.run([f"{bin_}/python", "-I", "-m", "momus", "--version"], capture_output=True, text=True)
    assert said.stdout.startswith("momus, version ")


def test_no_step_imports_from_the_checkout_and_only_the_upload_has_the_token(
    hostile: Path, smollm2: Path, service: ThreadingHTTPServer
) -> None:
    """All steps after the installation, with the outputs of each in the expressions of the next."""
    kept = hostile / "cache" / "momus" / "models" / "weights" / smollm2.name
    kept.parent.mkdir(parents=True)
    shutil.copy(smollm2, kept)
    known = {f"inputs.{name}": one["default"] for name, one in ACTION["inputs"].items()}
    known |= {"inputs.model": "smollm2-135m", "inputs.paths": "code.py", "inputs.upload-sarif": "true"}
    known |= {"inputs.token": TOKEN, "steps.install.outputs.bin": str(Path(sys.executable).parent)}
    around = {
        "RUNNER_TEMP": str(hostile / "temporary"),
        "MOMUS_CRITIC": "local:smollm2-135m",
        "PYTHONPATH": str(hostile),
        "GITHUB_API_URL": f"http://127.0.0.1:{service.server_port}",
        "GITHUB_SHA": "c0ffee",
        "GITHUB_REF": "refs/pull/1/merge",
        "GITHUB_REPOSITORY": "owner/name",
        "no_proxy": "*",
    }
    for step in STEPS[1:]:
        filled = {key: re.sub(r"\$\{\{ (\S+) \}\}", lambda it: known[it[1]], v) for key, v in step["env"].items()}
        assert (TOKEN in filled.values()) == (step["name"] == "Upload to code scanning")
        (hostile / "output").write_text("")
        done = run_script(step["name"], hostile, **{**around, **filled})
        assert not (hostile / "owned").exists(), (step["name"], (hostile / "owned").read_text())
        assert done.returncode == int(filled.get("CODE", 0)), (step["name"], done.stdout + done.stderr)
        for line in (hostile / "output").read_text().splitlines():
            name, _, value = line.partition("=")
            known[f"steps.{step['id']}.outputs.{name}"] = value
    assert service.taken[1]["tool_name"] == "Momus"  # type: ignore[attr-defined]
    left = [path for path in hostile.rglob("*") if path.is_file() and "cache" not in path.relative_to(hostile).parts]
    assert not [path for path in left if TOKEN.encode() in path.read_bytes()]


def weights_step(name: str, folder: Path, model: str) -> subprocess.CompletedProcess[str]:
    inputs = {"BIN": str(Path(sys.executable).parent), "IN_MODEL": model, "RUNNER_TEMP": str(folder / "temporary")}
    return run_script(name, folder, **inputs)


def test_the_weights_are_named_by_the_catalogue_and_not_by_the_checkout(hostile: Path) -> None:
    done = weights_step("Name the weights", hostile, "smollm2-135m")
    assert done.returncode == 0, done.stderr
    model = catalogue()["smollm2-135m"]
    assert f"sha256={model.sha256}\nfolder={hostile / 'cache' / 'momus'}" in (hostile / "output").read_text()
    assert not (hostile / "owned").exists()


@pytest.mark.parametrize("model", ["nonsense", "$(touch owned)", "org/repo:a.gguf", "--help", "./smollm2-135m"])
def test_a_model_is_one_of_the_catalogue(hostile: Path, model: str) -> None:
    done = weights_step("Name the weights", hostile, model)
    assert done.returncode == 2 and "::error title=Momus::The input model names none of" in done.stderr
    assert (hostile / "output").read_text() == "" and not (hostile / "owned").exists()


def test_weights_that_were_kept_are_verified_and_not_fetched(hostile: Path, smollm2: Path) -> None:
    kept = hostile / "cache" / "momus" / "models" / "weights" / smollm2.name
    kept.parent.mkdir(parents=True)
    shutil.copy(smollm2, kept)
    done = weights_step("Fetch the weights", hostile, "smollm2-135m")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(kept) and f"cache: {kept}" in done.stderr
    assert not (hostile / "owned").exists()


def test_the_hook_never_downloads(folder: Path) -> None:
    # As pre-commit runs it: what it writes goes to a terminal, what it reads is a pipe that stays open.
    terminal, end = os.openpty()
    with serving({}) as anyone:
        hook = subprocess.Popen(
            [sys.executable, "-m", *HOOK["entry"].split(), "code.py"],
            cwd=folder,
            env=surroundings(folder, anyone.url, anyone.url),
            stdin=subprocess.PIPE,
            stdout=end,
            stderr=end,
        )
        os.close(end)
        assert hook.wait(timeout=100) in (0, 1, 2)
        assert not anyone.requests
    os.close(terminal)


TOKEN = "the-token-of-the-job"


class CodeScanning(BaseHTTPRequestHandler):
    """Takes an upload as the service does; refuses every token but one."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken = (self.path, json.loads(body))  # type: ignore[attr-defined]
        self.send_response(202 if self.headers["Authorization"] == f"Bearer {TOKEN}" else 403)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), CodeScanning) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def upload(folder: Path, port: int, token: str) -> subprocess.CompletedProcess[str]:
    (folder / "a.sarif").write_text('{"version": "2.1.0"}')
    return run_script(
        "Upload to code scanning",
        folder,
        BIN=str(Path(sys.executable).parent),
        SARIF="a.sarif",
        TOKEN=token,
        GITHUB_API_URL=f"http://127.0.0.1:{port}",
        GITHUB_SHA="c0ffee",
        GITHUB_REF="refs/pull/1/merge",
        GITHUB_REPOSITORY="owner/name",
        no_proxy="*",
    )


def test_the_upload_sends_the_sarif_whole(folder: Path, service: ThreadingHTTPServer) -> None:
    done = upload(folder, service.server_port, TOKEN)
    assert done.returncode == 0, done.stdout + done.stderr
    path, body = service.taken  # type: ignore[attr-defined]
    assert path == "/repos/owner/name/code-scanning/sarifs"
    assert (body["commit_sha"], body["ref"]) == ("c0ffee", "refs/pull/1/merge")
    assert gzip.decompress(base64.b64decode(body["sarif"])) == b'{"version": "2.1.0"}'


def test_a_refused_upload_fails_and_says_what_is_missing(folder: Path, service: ThreadingHTTPServer) -> None:
    done = upload(folder, service.server_port, "wrong")
    assert done.returncode == 1
    assert "refused the SARIF (403): does the job have security-events write?" in done.stdout
    assert "wrong" not in done.stdout + done.stderr


def test_a_service_that_cannot_be_reached_fails_the_upload(folder: Path) -> None:
    done = upload(folder, 9, TOKEN)
    assert (done.returncode, "could not be reached" in done.stdout) == (1, True)
