"""What a run reports, and that it ends."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import momus.sandbox.selftest as selftest
from momus.errors import MomusError
from momus.sandbox import advise, run, run_many, why_not
from momus.sandbox.advice import first_look

BOTH = pytest.mark.parametrize("mode", ["auto", "unsafe-local"])


@BOTH
def test_a_program_that_ends_well_passes(mode: str) -> None:
    outcome = run("import sys\nprint(sys.stdin.read()[::-1])\nprint('é', file=sys.stderr)", stdin="añb\n", mode=mode)
    assert (outcome.status, outcome.exit_code) == ("passed", 0)
    assert (outcome.stdout, outcome.stderr) == ("\nbña\n", "é\n")
    assert 0 < outcome.seconds < 5


@BOTH
def test_a_failed_assertion_fails_and_says_where(mode: str) -> None:
    outcome = run("x = 1\nassert x == 2, 'no'", mode=mode)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert "line 2" in outcome.stderr and "AssertionError: no" in outcome.stderr


@BOTH
def test_an_exit_code_and_a_signal_are_told_apart(mode: str) -> None:
    assert run("raise SystemExit(3)", mode=mode).exit_code == 3
    assert run("import os; os.abort()", mode=mode).exit_code == 128 + 6


@BOTH
@pytest.mark.parametrize("program", ["while True: pass", "import time; time.sleep(60)", "input()\nwhile True: pass"])
def test_an_endless_loop_is_ended(program: str, mode: str) -> None:
    started = time.monotonic()
    outcome = run(program, timeout_s=0.5, mode=mode, stdin="x\n")
    assert (outcome.status, outcome.exit_code) == ("timeout", None)
    assert time.monotonic() - started < 5


@BOTH
def test_a_program_that_closes_its_output_is_still_ended(mode: str) -> None:
    assert run("import os\nos.close(1)\nos.close(2)\nwhile True: pass", timeout_s=0.5, mode=mode).status == "timeout"


def test_ignoring_signals_does_not_help() -> None:
    program = (
        "import signal\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except OSError: pass\n"
    )
    assert run(program + "while True: pass", timeout_s=0.5).status == "timeout"


@BOTH
def test_huge_output_is_cut_and_said(mode: str) -> None:
    for stream in ("stdout", "stderr"):
        program = f"import sys\nwhile True: sys.{stream}.write('x' * 10000)"
        outcome = run(program, output_bytes=20_000, mode=mode)
        assert outcome.status == "output"
        assert len(getattr(outcome, stream)) == 20_000
    exact = run("print('x' * 19_999)", output_bytes=20_000, mode=mode)
    assert exact.status == "passed" and len(exact.stdout) == 20_000


@pytest.mark.skipif(sys.platform != "linux", reason="address space is bounded on Linux only")
@BOTH
def test_too_much_memory_is_told_from_a_failure(mode: str) -> None:
    outcome = run("x = bytearray(1 << 31)", memory_mb=256, mode=mode)
    assert (outcome.status, outcome.exit_code) == ("memory", 1)


def test_memory_is_bounded_over_all_processes_together() -> None:
    program = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        x = bytearray(os.urandom(1)) * 120_000_000
        time.sleep(30)
time.sleep(30)
"""
    assert run(program, memory_mb=256, timeout_s=20).status == "memory"


@pytest.mark.parametrize("code", ["def f(:", "x = '\ud800'", "a\0b", "(" * 5000])
def test_what_does_not_parse_is_refused_without_a_start(code: str) -> None:
    outcome = run(code)
    assert outcome.status == "refused" and outcome.stderr and outcome.exit_code is None


def test_the_hash_seed_is_fixed_so_that_a_run_can_be_repeated() -> None:
    assert len({run("print(hash('momus'))").stdout for _ in range(3)}) == 1


def test_installed_packages_can_be_imported() -> None:
    outcome = run("import numpy\nprint(numpy.arange(3).sum())", timeout_s=20, memory_mb=1024)
    assert outcome.stdout == "3\n", outcome.stderr


def test_threads_processes_and_loopback_work_inside() -> None:
    program = """
import asyncio, multiprocessing, socket, subprocess, sys, threading
t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()
with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, 2]))
print(subprocess.run([sys.executable, '-c', 'print(3)'], capture_output=True, text=True).stdout)
async def main():
    server = await asyncio.start_server(lambda r, w: w.close(), '127.0.0.1', 0)
    await asyncio.open_connection(*server.sockets[0].getsockname())
    print('loopback')
asyncio.run(main())
"""
    outcome = run(program, timeout_s=20)
    assert outcome.stdout == "thread\n[1, 2]\n3\n\nloopback\n", outcome.stderr


def test_many_programs_come_back_in_their_order() -> None:
    programs = [f"import time; time.sleep({0.2 if i == 0 else 0}); print({i})" for i in range(8)]
    assert [o.stdout for o in run_many(programs, jobs=3)] == [f"{i}\n" for i in range(8)]


def test_many_programs_are_taken_only_as_they_are_run() -> None:
    taken = 0

    def programs() -> object:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield "pass"

    outcomes = run_many(programs(), jobs=2)  # type: ignore[arg-type]
    assert next(outcomes).status == "passed"
    assert taken <= 4
    outcomes.close()  # type: ignore[attr-defined]


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(MomusError, match="auto or unsafe-local"):
        run("pass", mode="none")


def test_auto_refuses_where_nothing_isolates(tmp_path: Path) -> None:
    program = (
        "from momus.sandbox import run\nfrom momus.errors import MomusError\n"
        "print(run('print(1)', mode='unsafe-local').stdout)\n"
        "try: run('print(1)')\nexcept MomusError as error: print(error)\n"
    )
    bare = tmp_path / "bin"
    bare.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PATH": str(bare)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("1\n") and "install the package bubblewrap" in done.stdout
    assert "--sandbox unsafe-local" in done.stdout and "\n1\n" not in done.stdout[2:]


def test_a_sandbox_that_lets_everything_through_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The self-test, with a wall that is none: a bwrap that just runs the command."""
    from momus.sandbox import bubblewrap

    def open_door(limits: object, *, program_fd: int, status_fd: int, **_: object) -> list[str]:
        code = f"import os; os.write({status_fd}, b'{{\"exit-code\": 0}}\\n'); exec(open({program_fd}).read())"
        return [sys.executable, "-c", code]

    monkeypatch.setattr(bubblewrap, "command", open_door)
    reason = selftest.why_not.__wrapped__()
    assert reason is not None and "outside" in reason


def test_a_sandbox_that_breaks_is_never_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    from momus.sandbox import bubblewrap

    assert why_not() is None
    monkeypatch.setattr(bubblewrap, "command", lambda *_, **__: ["/bin/sh", "-c", "echo broken wall >&2; exit 1"])
    with pytest.raises(MomusError, match="broken wall"):
        run("pass")


def test_advice_names_what_a_program_reaches_for() -> None:
    code = "import os, socket\nfrom urllib.request import urlopen\neval('1')\nprint(open)\n"
    assert advise(code) == (
        "line 1: os (the system)",
        "line 1: socket (network)",
        "line 2: urllib (network)",
        "line 3: eval (dynamic code)",
    )
    assert run("import os").advice == ("line 1: os (the system)",)
    assert advise("def f(:") == ()


def test_advice_is_not_what_holds() -> None:
    hidden = "g = getattr(__builtins__, '__imp' + 'ort__')\nprint(g('o' + 's').path.exists('/etc/passwd'))"
    assert first_look(hidden) == (None, ())
    assert run(hidden).stdout == "False\n"


def test_starting_costs_little_beyond_python_itself() -> None:
    """A guard against layers growing slow: the computing of all processes, which a busy machine does not stretch."""
    why_not()
    bare = min(_computing(lambda: subprocess.run([sys.executable, "-s", "-P", "-c", "pass"])) for _ in range(5))
    walled = min(_computing(lambda: run("pass")) for _ in range(5))
    assert bare > 0 and walled - bare < 0.1


def _computing(act: Callable[[], object]) -> float:
    """Seconds of computing in this process and in those that it started and that have ended."""
    started = _used()
    act()
    return _used() - started


def _used() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)  # to the microsecond, where os.times() counts ticks


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for mode in ("auto", "unsafe-local"):
        run("open('left', 'w').write('x')", mode=mode)
    assert list(tmp_path.iterdir()) == []
