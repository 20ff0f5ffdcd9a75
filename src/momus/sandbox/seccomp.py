"""A system call filter for the sandboxed program, as the classic BPF bytes that bubblewrap loads just before Python.

It denies what no program under test needs and what past escapes used: new namespaces, mounts, tracing other
processes, kernel keyrings, io_uring, BPF, clocks, sockets other than unix, IPv4 and IPv6 (vsock and netlink are not
kept in by a network namespace alone); memory that no process shows (System V segments and queues, memfd, shared
anonymous maps); and every call that is newer than the tables. Those are for x86-64 and AArch64 (the latter untested);
elsewhere there is no filter and the other layers stand.
"""

from __future__ import annotations

import errno
import functools
import platform
import struct

_LOAD, _JEQ, _JGE, _JSET, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NR, _ARCH, _ARG0, _ARG3 = 0, 4, 16, 40  # offsets in struct seccomp_data; the low half of an argument comes first
_FIRST_UNKNOWN = 457  # the tables end with futex_requeue: what came later has not been looked at
_SHARED_ANONYMOUS = 0x21  # of mmap's flags: MAP_SHARED (also in MAP_SHARED_VALIDATE) and MAP_ANONYMOUS
_X32 = 0x40000000
_NEW_NAMESPACE = 0x7E020000  # every CLONE_NEW* that clone() takes
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6

_ARCHES: dict[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name: (x86-64, AArch64); None where there is none
_DENIED: dict[str, tuple[int, int | None]] = {
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "ptrace": (101, 117),
    "syslog": (103, 116),
    "uselib": (134, None),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "modify_ldt": (154, None),
    "pivot_root": (155, 41),
    "adjtimex": (159, 171),
    "chroot": (161, 51),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "lookup_dcookie": (212, 18),
    "remap_file_pages": (216, 234),
    "semtimedop": (220, 192),
    "clock_settime": (227, 112),
    "mbind": (237, 235),
    "mq_open": (240, 180),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "migrate_pages": (256, 238),
    "unshare": (272, 97),
    "vmsplice": (278, 75),
    "move_pages": (279, 239),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "clock_adjtime": (305, 266),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "finit_module": (313, 273),
    "memfd_create": (319, 279),
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
    "process_madvise": (440, 440),
    "mount_setattr": (442, 442),
    "quotactl_fd": (443, 443),
    "memfd_secret": (447, 447),
}
_MMAP = (9, 222)
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
    code += [_op(_JGE, _FIRST_UNKNOWN, 0, 1), _refuse(errno.ENOSYS)]
    for number in (numbers[column] for numbers in _DENIED.values()):
        if number is not None:
            code += [_op(_JEQ, number, 0, 1), denied]
    code += [_op(_JEQ, _MMAP[column], 0, 5), _op(_LOAD, _ARG3), _op(_AND, _SHARED_ANONYMOUS)]
    code += [_op(_JEQ, _SHARED_ANONYMOUS, 0, 1), denied, _allow()]
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
