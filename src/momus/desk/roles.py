"""Who may do what in a project."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["manager", "reviewer", "annotator", "viewer"]
Permission = Literal["read", "work", "recheck", "stats", "manage", "admin"]

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

# An annotator sees no statistics and nobody else's work: what others said would sway. A viewer does no work.
GRANTS: dict[Role, frozenset[Permission]] = {
    "manager": frozenset({"read", "work", "recheck", "stats", "manage"}),
    "reviewer": frozenset({"read", "work", "recheck", "stats"}),
    "annotator": frozenset({"read", "work"}),
    "viewer": frozenset({"read", "stats"}),
}


def granted(role: str | None, *, admin: bool, scopes: frozenset[str] | None) -> frozenset[str]:
    """What a person may do in a project: by the role there, or as an admin, who is a manager everywhere.

    `scopes` of an API token only ever take away; None is a browser's session.
    """
    held: frozenset[str] = frozenset(PERMISSIONS) if admin else GRANTS.get(role, frozenset())  # type: ignore[call-overload]
    return held if scopes is None else held & scopes
