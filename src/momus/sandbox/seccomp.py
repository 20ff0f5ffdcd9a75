"""A system call filter for the sandboxed program, as the classic BPF bytes that bubblewrap loads just before Python.

It denies what no program under test needs and what past escapes used: new namespaces, mounts, tracing other
processes, kernel keyrings, io_uring, BPF, and sockets other than unix, IPv4 and IPv6 (vsock and netlink are not kept
in by a network namespace alone). The tables are for x86-64 and AArch64 (the latter untested); elsewhere there is no
filter and the other layers stand.
"""

from __future__ import annotations

import errno
import functools
import platform
import struct

_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NR, _ARCH, _ARG0 = 0, 4, 16  # offsets in struct seccomp_data; the low half of an argument comes first
_X32 = 0x40000000
_NEW_NAMESPACE = 0x7E020000  # every CLONE_NEW* that clone() takes
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6

_ARCHES: dict[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name: (x86-64, AArch64)
_DENIED: dict[str, tuple[int, int]] = {
    "ptrace": (101, 117),
    "syslog": (103, 116),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "acct": (163, 89),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "lookup_dcookie": (212, 18),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "finit_module": (313, 273),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_SOCKET, _SOCKETPAIR = (41, 198), (53, 199)


@functools.cache
def program(machine: str | None = None) -> bytes | None:
    """The filter for a machine (this one by default), or None where there is no table for it."""
    name = machine or platform.machine()
    if name not in _ARCHES:
        return None
    column = list(_ARCHES).index(name)
    denied = _refuse(errno.EPERM)
    code = [_op(_LOAD, _ARCH), _op(_JEQ, _ARCHES[name], 1, 0), _op(_RETURN, _KILL), _op(_LOAD, _NR)]
    if name == "x86_64":
        code += [_op(_JGE, _X32, 0, 1), denied]
    for numbers in _DENIED.values():
        code += [_op(_JEQ, numbers[column], 0, 1), denied]
    # The flags of clone3 are behind a pointer; told that it does not exist, the C library falls back on clone.
    code += [_op(_JEQ, _CLONE3[column], 0, 1), _refuse(errno.ENOSYS)]
    code += [_op(_JEQ, _CLONE[column], 0, 4), _op(_LOAD, _ARG0), _op(_JSET, _NEW_NAMESPACE, 0, 1), denied, _allow()]
    for numbers in (_SOCKET, _SOCKETPAIR):
        families = [_op(_JEQ, family, len(_FAMILIES) - i, 0) for i, family in enumerate(_FAMILIES)]
        body = [_op(_LOAD, _ARG0), *families, _refuse(errno.EAFNOSUPPORT), _allow()]
        code += [_op(_JEQ, numbers[column], 0, len(body)), *body]
    return b"".join([*code, _allow()])


def _op(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, k)


def _refuse(number: int) -> bytes:
    return _op(_RETURN, _ERRNO | number)


def _allow() -> bytes:
    return _op(_RETURN, _ALLOW)
