"""Programs that try to get out, for real. Each prints ESCAPED where it did.

Where a control is named, the same program does get through without isolation: the test can fail.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from momus.sandbox import Outcome, run

ESCAPED = "ESCAPED"


@dataclass
class Outside:
    """What a program would like to reach."""

    folder: Path
    secret: Path
    tcp: socket.socket
    udp: socket.socket
    unix: socket.socket
    abstract: socket.socket

    def reached(self) -> bool:
        sockets = [self.tcp, self.udp, self.unix, self.abstract]
        return bool(select.select(sockets, [], [], 0.05)[0])


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    for folder in (tmp_path, *tmp_path.parents[:2]):  # pytest's folders are private; it is the sandbox that must hold
        folder.chmod(0o755)
    tmp_path.chmod(0o777)
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    secret.chmod(0o666)
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / "s"))
    (tmp_path / "s").chmod(0o777)
    unix.listen()
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0momus-test-{os.getpid()}")
    abstract.listen()
    yield Outside(tmp_path, secret, tcp, udp, unix, abstract)
    for each in (tcp, udp, unix, abstract):
        each.close()


def attempt(program: str, outside: Outside, mode: str = "auto", **options: float) -> Outcome:
    """Run a program whose failure to get out is an exception, caught here."""
    names = {
        "SECRET": str(outside.secret),
        "FOLDER": str(outside.folder),
        "TCP": outside.tcp.getsockname()[1],
        "UDP": outside.udp.getsockname()[1],
        "UNIX": outside.unix.getsockname(),
        "ABSTRACT": outside.abstract.getsockname(),
        "PARENT": os.getpid(),
    }
    head = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    body = textwrap.indent(textwrap.dedent(program), "    ")
    tail = "except Exception as error:\n    print('kept in:', type(error).__name__, error)\n"
    return run(f"import os, sys, socket\n{head}try:\n{body}\n{tail}", mode=mode, **options)  # type: ignore[arg-type]


REACHING_OUT = {
    "tcp": "socket.create_connection(('127.0.0.1', TCP), 2); print('ESCAPED')",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', UDP)); print('ESCAPED')",
    "unix socket by path": "s = socket.socket(socket.AF_UNIX); s.connect(UNIX); print('ESCAPED')",
    "abstract unix socket": "s = socket.socket(socket.AF_UNIX); s.connect(ABSTRACT); print('ESCAPED')",
}

WITH_CONTROL = {
    "reads a file outside": "print('ESCAPED', open(SECRET).read())",
    "writes a file outside": "open(SECRET, 'w').write('changed'); print('ESCAPED')",
    "makes a file outside": "open(FOLDER + '/new', 'w').write('x'); print('ESCAPED')",
    "follows a symlink out": "os.symlink(SECRET, 'link'); print('ESCAPED', open('link').read())",
    "hard-links a file in": "os.link(SECRET, FOLDER + '/hard'); print('ESCAPED')",
    "walks up": "print('ESCAPED', open('../' * 20 + SECRET).read())",
    "lists home": (  # the folders on the way to Python itself are there, and nothing else
        f"names = set(os.listdir({str(Path.home())!r})) - set((sys.prefix + '/' + sys.base_prefix).split('/'))\n"
        "print('ESCAPED', names) if names else 0"
    ),
    "signals the parent": "os.kill(PARENT, 0); print('ESCAPED')",
    "sees other processes": (
        "pids = [p for p in os.listdir('/proc') if p.isdigit()]\nprint('ESCAPED') if len(pids) > 5 else 0"
    ),
    "reads the parent's environment": "open(f'/proc/{PARENT}/environ').read(); print('ESCAPED')",
}
WITHOUT_CONTROL = {
    "reads the host's mounts": "print('ESCAPED') if 'ext' in open('/proc/mounts').read().split(' / ')[1][:5] else 0",
    "reads /etc/shadow": "print('ESCAPED', open('/etc/shadow').read()[:1])",
    "writes to /usr": "open('/usr/momus-test', 'w'); os.unlink('/usr/momus-test'); print('ESCAPED')",
    "writes to Python's own folder": (
        "p = sys.base_prefix + '/momus-test'\nopen(p, 'w'); os.unlink(p); print('ESCAPED')"
    ),
    "makes a device": "import stat; os.mknod(FOLDER + '/null', 0o666 | stat.S_IFCHR, 0x103); print('ESCAPED')",
    "changes the host name": "socket.sethostname(socket.gethostname()); print('ESCAPED')",
}


@pytest.mark.parametrize("name", REACHING_OUT)
def test_network_is_out_of_reach(name: str, outside: Outside) -> None:
    outcome = attempt(REACHING_OUT[name], outside)
    assert ESCAPED not in outcome.stdout or name == "udp"  # sending into a void is no escape; arriving is
    assert not outside.reached()
    control = attempt(REACHING_OUT[name], outside, mode="unsafe-local")
    assert ESCAPED in control.stdout and outside.reached()


@pytest.mark.parametrize("name", [*WITH_CONTROL, *WITHOUT_CONTROL])
def test_nothing_outside_is_reached(name: str, outside: Outside) -> None:
    program = {**WITH_CONTROL, **WITHOUT_CONTROL}[name]
    outcome = attempt(program, outside)
    assert outcome.status == "passed", outcome.stderr
    assert ESCAPED not in outcome.stdout
    assert outside.secret.read_text() == "the secret"
    assert sorted(p.name for p in outside.folder.iterdir()) == ["s", "secret.txt"]


@pytest.mark.parametrize("name", WITH_CONTROL)
def test_the_same_programs_get_out_without_isolation(name: str, outside: Outside) -> None:
    assert ESCAPED in attempt(WITH_CONTROL[name], outside, mode="unsafe-local").stdout


# A virtual environment below /tmp lies in what is a small temporary folder anyway.
KEPT = ["/", "/dev", "/usr", "/etc", "/proc", "/sandbox", *([] if sys.prefix.startswith("/tmp/") else [sys.prefix])]


@pytest.mark.parametrize("folder", KEPT)
def test_only_small_temporary_folders_can_be_written(folder: str, outside: Outside) -> None:
    outcome = attempt(f"open({folder!r} + '/x', 'w').write('x'); print('ESCAPED')", outside)
    assert outcome.status == "passed" and ESCAPED not in outcome.stdout


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_temporary_folders_are_bounded_in_all(folder: str, outside: Outside) -> None:
    program = f"""
    for i in range(20):
        with open({folder!r} + f'/{{i}}', 'wb') as out:
            out.write(bytes(20_000_000))
    print('ESCAPED')
    """
    outcome = attempt(program, outside)
    assert "No space left" in outcome.stdout and ESCAPED not in outcome.stdout


def test_a_file_is_bounded(outside: Outside) -> None:
    outcome = attempt("open('big', 'wb').write(bytes(50_000_000)); print('ESCAPED')", outside)
    assert ESCAPED not in outcome.stdout and "File too large" in outcome.stdout


def test_secrets_in_the_environment_stay_outside(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "token-5a1e")
    program = """
    found = dict(os.environ), [open(f'/proc/{p}/environ').read() for p in os.listdir('/proc') if p.isdigit()]
    print('ESCAPED' if 'token-5a1e' in repr(found) else 'clean', len(found[1]))
    """
    for mode in ("auto", "unsafe-local"):
        outcome = attempt("print('ESCAPED') if 'API_KEY' in os.environ else print('clean')", outside, mode=mode)
        assert outcome.stdout == "clean\n"
    assert attempt(program, outside).stdout.startswith("clean")


def test_no_descriptor_of_the_caller_is_inherited(outside: Outside) -> None:
    leak = os.open(outside.secret, os.O_RDONLY)
    os.set_inheritable(leak, True)
    try:
        program = """
        links = [os.readlink(f'/proc/{p}/fd/{f}') for p in ('self', '1') for f in os.listdir(f'/proc/{p}/fd')
                 if os.path.lexists(f'/proc/{p}/fd/{f}')]
        print(links)
        """
        outcome = attempt(program, outside)
        assert "pipe:" in outcome.stdout and "secret" not in outcome.stdout
        assert "memfd" not in outcome.stdout
    finally:
        os.close(leak)


def test_a_fork_bomb_is_stopped(outside: Outside) -> None:
    program = """
    import signal, time
    count = 0
    try:
        while count < 2000:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            count += 1
        print('ESCAPED')
    except OSError:
        print('stopped at', count)
    """
    outcome = attempt(program, outside, timeout_s=10)
    assert outcome.stdout.startswith("stopped at") and ESCAPED not in outcome.stdout
    assert 10 < int(outcome.stdout.split()[2]) < 64


def test_processes_left_behind_die_with_the_run(outside: Outside) -> None:
    marker = f"momus-left-{os.getpid()}"
    program = f"""
    import subprocess, time
    for _ in range(3):
        subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', {marker!r}], start_new_session=True)
    time.sleep(0.3)
    print('started')
    """
    assert attempt(program, outside).stdout == "started\n"
    assert not _running(marker)
    assert attempt(program + "\n    time.sleep(60)", outside, timeout_s=1).status == "timeout"
    assert not _running(marker)


def _running(marker: str) -> bool:
    deadline = time.monotonic() + 2
    while marker in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout:
        if time.monotonic() > deadline:
            return True
        time.sleep(0.05)
    return False


KERNEL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    if libc.syscall(*args) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    print('ESCAPED')
"""
KERNEL_ATTEMPTS = {
    "new user namespace": "call(272, 0x10000000)",
    "new user namespace by clone": "call(56, 0x10000000 | 17, 0, 0, 0, 0)",
    "new mount namespace": "call(272, 0x20000)",
    "mount": "call(165, b'none', b'/tmp', b'tmpfs', 0, 0)",
    "tracing its parent": "call(101, 16, os.getppid(), 0, 0)",
    "being traced": "call(101, 0, 0, 0, 0)",
    "io_uring": "call(425, 4, ctypes.create_string_buffer(120))",
    "bpf": "call(321, 0, 0, 0)",
    "keyring": "call(248, b'user', b'x', b'y', 1, -3)",
    "x32 system call": "call(0x40000000 + 39)",
    "clone3": "call(435, ctypes.create_string_buffer(88), 88)",
    "vsock": "socket.socket(40, socket.SOCK_STREAM); print('ESCAPED')",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); print('ESCAPED')",
    "raw packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW); print('ESCAPED')",
    "becoming root": "os.setuid(0); print('ESCAPED')",
    "more processes": "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (999, 999)); print('ESCAPED')",
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="system call numbers of x86-64")
@pytest.mark.parametrize("name", KERNEL_ATTEMPTS)
def test_the_kernel_is_not_there_to_play_with(name: str, outside: Outside) -> None:
    outcome = attempt(KERNEL + KERNEL_ATTEMPTS[name], outside)
    assert outcome.status == "passed", outcome
    assert "kept in:" in outcome.stdout and ESCAPED not in outcome.stdout


def test_a_nested_sandbox_is_refused(outside: Outside) -> None:
    program = """
    import subprocess
    done = subprocess.run(['unshare', '--user', '--map-root-user', 'true'], capture_output=True, text=True)
    print('ESCAPED' if done.returncode == 0 else 'kept in: ' + done.stderr)
    """
    outcome = attempt(program, outside)
    assert "unshare" in outcome.stdout and ESCAPED not in outcome.stdout


def test_the_program_is_nobody_even_where_we_are_root(outside: Outside) -> None:
    program = "print(os.getuid(), os.geteuid(), os.getgid(), os.getgroups(), open('/proc/self/status').read())"
    told = attempt(program, outside).stdout
    assert told.startswith("65534 65534 65534")
    effective = next(line for line in told.splitlines() if line.startswith("CapBnd"))
    assert int(effective.split()[1], 16) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user to try it as one")
def test_an_ordinary_user_is_kept_in_just_as_well(outside: Outside) -> None:
    python = "/usr/bin/python3"
    version = subprocess.run([python, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True)
    source = Path(__file__).parents[2] / "src"
    if version.stdout != b"True\n" or any(not p.stat().st_mode & 1 for p in source.parents):
        pytest.skip("no Python 3.11 (or no source folder) that an ordinary user could read")
    program = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(source)!r})
        from momus.sandbox import run, why_not
        print(why_not(), run("open({str(outside.secret)!r})").status, run("import os; print(os.getuid())").stdout)
    """)
    command = ["setpriv", "--reuid=60001", "--regid=60001", "--clear-groups", python, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.stdout == "None failed 65534\n\n", done.stderr


def test_nothing_of_a_project_is_shown_even_where_its_folder_is_the_virtual_environment(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    project = tmp_path / "project"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(project)], check=True)
    (project / ".env").write_text("KEY=secret")
    (project / "settings.py").write_text("KEY = 'secret'")
    program = (
        "import os\nprint(sorted(os.listdir(ROOT)))\n"
        "print([f for _, _, files in os.walk(ROOT) for f in files if 'env' in f or f == 'settings.py'])\n"
    )
    code = (
        f"from momus.sandbox import run, why_not\nassert why_not() is None, why_not()\n"
        f"outcome = run({f'ROOT = {str(project)!r}' + chr(10) + program!r}, timeout_s=20)\n"
        "print(outcome.stdout, outcome.stderr)\n"
    )
    path = [str(Path(__file__).parents[2] / "src"), *(p for p in sys.path if p.endswith("site-packages"))]
    done = subprocess.run(
        [str(project / "bin" / "python"), "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["['bin', 'lib', 'lib64', 'pyvenv.cfg']", "['pyvenv.cfg']"], done.stdout


@pytest.mark.parametrize(
    "folder", ["/usr/src", "/usr/share/doc", "/home", "/srv", "/opt", "/var", "/mnt", str(Path.cwd())]
)
def test_folders_where_projects_lie_are_not_there(folder: str, outside: Outside) -> None:
    shown = set((sys.prefix + "/" + sys.base_prefix).split("/"))
    program = f"names = set(os.listdir({folder!r}))\nprint('ESCAPED', names - {shown!r}) if names - {shown!r} else 0"
    outcome = attempt(program, outside)
    assert outcome.status == "passed" and ESCAPED not in outcome.stdout


@pytest.mark.parametrize("size", [30_000, 2_000_000])
def test_a_long_program_is_never_parsed_in_our_own_process(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import ast

    def parsed(*_: object, **__: object) -> object:
        raise AssertionError("parsed")

    monkeypatch.setattr(ast, "parse", parsed)
    outcome = run("x=1\n" * (size // 4) + "print(x)\n", timeout_s=30, memory_mb=256)
    assert (outcome.status, outcome.stdout) == ("passed", "1\n") if size < 100_000 else outcome.status == "memory"
