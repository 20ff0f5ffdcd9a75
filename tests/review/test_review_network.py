"""A review, whatever libraries it imports, resolves no name, opens no connection and writes nothing but its cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from momus.linters import available
from watched import Watched

ROOT = Path(__file__).parents[2]
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
CODE = (
    'def first(xs):\n    """Return the first.\n\n    >>> first([1])\n    1\n    """\n    unused = 1\n    return xs[0]\n'
)
LIBRARY = """
import sys
from pathlib import Path
from momus.critics import open_critic
from momus.models.local import open_local
from momus.records import Task

task = Task(id="a", question="Return the first.", answer=Path("a.py").read_text())
open_critic(sys.argv[1]).critique(task, seed=0)
if sys.argv[1].startswith("local:"):
    open_local(sys.argv[1].removeprefix("local:"))
"""


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path, CODE)


BENEATH = (  # what compiled code does, of which Python hears nothing
    "import ctypes; c = ctypes.CDLL(None); "
    "c.connect(c.socket(2, 1, 0), b'\\2\\0\\0\\11' + bytes([{address}]) + bytes(8), 16)"
)


@pytest.mark.parametrize(
    "asking",
    [
        "import socket; socket.getaddrinfo('nowhere.invalid', 80)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1')",
        "import socket; socket.create_connection(('2001:db8::1', 80))",
        "import os; os.fork() or __import__('socket').getaddrinfo('nowhere.invalid', 80); os.wait()",
        BENEATH.format(address="127, 0, 0, 1"),
        BENEATH.format(address="192, 0, 2, 1"),
    ],
)
def test_the_watch_sees_who_asks(watched: Watched, asking: str) -> None:
    watched.run("-c", asking)
    assert watched.asked()


def test_the_watch_sees_onnx_runtime_report_where_nobody_told_it_not_to(watched: Watched) -> None:
    """Its telemetry, switched on again: the test of a review would fail by this."""
    pytest.importorskip("onnxruntime")
    code = (
        "import os, time, momus\n"
        "del os.environ['ORT_DISABLE_TELEMETRY']\n"
        "import onnxruntime\n"
        "from momus.critics import open_critic\n"
        "critic = open_critic('bundled')\n"
        "lines = lambda: [line for line in open('/proc/net/snmp') if line.startswith('Udp:')]\n"
        "before, until = lines(), time.monotonic() + 120\n"
        "while lines() == before and time.monotonic() < until:\n"
        "    time.sleep(0.2)\n"
    )
    done = watched.run("-c", code)
    assert done.returncode == 0, done.stderr
    assert watched.asked() and watched.written()


@pytest.mark.parametrize("critic", ["bundled", "local+examples", *(f"linter:{name}" for name in available())])
def test_a_review_asks_nothing_of_the_network_and_writes_its_cache_alone(
    watched: Watched, critic: str, request: pytest.FixtureRequest
) -> None:
    if critic.startswith("local"):
        critic = critic.replace("local", f"local:{request.getfixturevalue('smollm2')}")
    if critic == "bundled":
        pytest.importorskip("onnxruntime")
    done = watched.run(
        "-m", *HOOK["entry"].split(), "a.py", "--critic", critic, "--isolated", "--output-format", "json"
    )
    assert done.returncode in (0, 1), done.stderr
    assert (watched.asked(), watched.written()) == ({}, [])


@pytest.mark.parametrize("critic", ["bundled", "local"])
def test_a_critic_opened_by_a_library_asks_nothing_either(
    watched: Watched, critic: str, request: pytest.FixtureRequest
) -> None:
    name = f"local:{request.getfixturevalue('smollm2')}" if critic == "local" else critic
    done = watched.run("-c", LIBRARY, name)
    assert done.returncode == 0, done.stderr
    assert (watched.asked(), watched.written()) == ({}, [])


# The command line and the hook, the library's two ways in, the desk and its worker, and the child that converts.
ENTRIES = (
    "momus.cli",
    "momus.critics",
    "momus.models.local",
    "momus.desk.app",
    "momus.desk.jobs",
    "momus.models.graph_child",
)


@pytest.mark.parametrize("entry", ENTRIES)
def test_telemetry_is_off_before_any_library_is_imported(entry: str) -> None:
    code = (
        "import importlib, os, sys\n"
        "ours = {name: None for name in ('ORT_DISABLE_TELEMETRY', 'HF_HUB_DISABLE_TELEMETRY')}\n"
        "def watch(event, arguments):\n"
        "    name = arguments[0].partition('.')[0] if event == 'import' else ''\n"
        "    if name in ('onnxruntime', 'openvino', 'huggingface_hub', 'transformers'):\n"
        "        assert all(os.environ.get(it) == '1' for it in ours), name\n"
        "sys.addaudithook(watch)\n"
        f"importlib.import_module({entry!r})\n"
        "assert all(os.environ.get(it) == '1' for it in ours)\n"
    )
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "0", "HF_HUB_DISABLE_TELEMETRY": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
