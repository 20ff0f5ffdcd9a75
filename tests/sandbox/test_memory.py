"""Memory that no single process shows is counted, or refused."""

from __future__ import annotations

import sys

import pytest

from momus.sandbox import run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")

# Each holds 600 MB or more, and sleeps; at 512 MB none may get there.
HOLDS = {
    "files in memory": """
import os
for i in range(20):
    fd = os.memfd_create(str(i))
    for _ in range(2):
        os.write(fd, bytes(15_000_000))
""",
    "System V segments": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
for i in range(10):
    segment = libc.shmget(0, 60_000_000, 0o1600)
    assert segment >= 0, ctypes.get_errno()
    ctypes.memset(libc.shmat(segment, None, 0), 1, 60_000_000)
""",
    "shared anonymous maps": """
import mmap
held = [mmap.mmap(-1, 60_000_000) for _ in range(10)]
for each in held:
    each.write(bytes(60_000_000))
""",
    "shared maps of /dev/zero": """
import mmap
held = [mmap.mmap(open('/dev/zero', 'r+b').fileno(), 60_000_000) for _ in range(10)]
for each in held:
    each.write(bytes(60_000_000))
""",
    "message queues": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
assert libc.msgget(0, 0o1600) >= 0, ctypes.get_errno()
""",
    "POSIX message queues": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
assert libc.mq_open(b'/q', os.O_CREAT | os.O_RDWR, 0o600, None) >= 0, ctypes.get_errno()
""",
    "processes that share nothing": """
import os, time
ready, done = os.pipe()
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(b'x') * 150_000_000
        os.write(done, b'x')
        time.sleep(10)
for _ in range(4):
    os.read(ready, 1)
""",
    "processes and temporary files": """
for i in range(4):
    open(f'/tmp/{i}', 'wb').write(bytes(15_000_000))
    open(f'/dev/shm/{i}', 'wb').write(bytes(15_000_000))
held = bytearray(b'x') * 430_000_000
""",
    "empty files": """
import os
for i in range(240_000):
    os.close(os.open(f'/tmp/{i}', os.O_CREAT))
""",
}


@pytest.mark.parametrize("name", HOLDS)
def test_what_holds_too_much_does_not_get_there(name: str) -> None:
    outcome = run(f"{HOLDS[name]}\nimport time\ntime.sleep(2)\nprint('HELD', flush=True)", timeout_s=30)
    assert outcome.status in ("memory", "failed") and "HELD" not in outcome.stdout, outcome


@pytest.mark.parametrize("name", ["files in memory", "shared anonymous maps", "empty files"])
def test_the_same_programs_get_there_without_isolation(name: str) -> None:
    program = HOLDS[name].replace("240_000", "20_000").replace("/tmp/", "")
    outcome = run(f"{program}\nprint('HELD', flush=True)", timeout_s=120, memory_mb=4000, mode="unsafe-local")
    assert "HELD" in outcome.stdout, outcome


def test_pages_that_processes_share_count_once() -> None:
    program = """
import os, time
held = bytearray(b'x') * 200_000_000
for _ in range(6):
    if os.fork() == 0:
        time.sleep(1)
        os._exit(0)
for _ in range(6):
    os.wait()
print('fine')
"""
    assert run(program, timeout_s=30).stdout == "fine\n"


def test_shared_memory_of_multiprocessing_still_works() -> None:
    program = """
import multiprocessing
from multiprocessing import shared_memory
def work(numbers, name):
    numbers[0] += 1
    block = shared_memory.SharedMemory(name=name)
    block.buf[0] = 7
    block.close()
if __name__ == '__main__':
    numbers, block = multiprocessing.Array('i', 3), shared_memory.SharedMemory(create=True, size=100)
    child = multiprocessing.Process(target=work, args=(numbers, block.name))
    child.start(); child.join()
    print(numbers[0], block.buf[0])
    block.close(); block.unlink()
"""
    outcome = run(program, timeout_s=30)
    assert outcome.stdout == "1 7\n", outcome
