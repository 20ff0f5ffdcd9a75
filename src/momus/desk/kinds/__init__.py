"""The kinds of work, by name."""

from __future__ import annotations

from momus.desk.kinds.base import Form, Kind, KindName, Known, Refused
from momus.desk.kinds.choose import Compare, Judge
from momus.desk.kinds.critique import Team, Write
from momus.desk.kinds.grade import Grade
from momus.desk.kinds.rate import Rate
from momus.desk.kinds.recheck import RecheckKind
from momus.desk.kinds.tamper import TamperKind

_FIRST: dict[str, Kind] = {
    kind.name: kind for kind in (TamperKind(), Rate(), Write(), Team(), Compare(), Judge(), Grade())
}
KINDS: dict[str, Kind] = {**_FIRST, "recheck": RecheckKind(_FIRST)}

__all__ = ["KINDS", "Form", "Kind", "KindName", "Known", "Refused"]
