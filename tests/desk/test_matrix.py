"""Every route by every role. A route without a row here fails, as does one that answers a role it should not."""

from __future__ import annotations

from typing import Any

import pytest

from desk_world import KEYS, PLACE, SLUG, World, comparison, task

P = f"/api/v1/projects/{SLUG}"
WHO = ("", "stranger", "viewer", "annotator", "reviewer", "manager", "admin")
EVERYBODY = frozenset(WHO)
SOMEBODY = EVERYBODY - {""}
MEMBERS = frozenset({"viewer", "annotator", "reviewer", "manager", "admin"})
WORKERS = MEMBERS - {"viewer"}
WATCHERS = MEMBERS - {"annotator"}
MANAGERS = frozenset({"manager", "admin"})
ADMIN = frozenset({"admin"})
OWNER = frozenset({"annotator"})  # the rows below act on what is the annotator's

# (method, route) -> (who may, the path's values, the body)
ROWS: dict[tuple[str, str], tuple[frozenset[str], dict[str, Any]]] = {
    ("post", "/api/v1/auth/login"): (EVERYBODY, {"json": {"email": "a@b.org", "password": "x"}}),
    ("post", "/api/v1/auth/accept"): (EVERYBODY, {"json": {"invite": "x", "email": "a@b.org", "password": "y"}}),
    ("post", "/api/v1/auth/logout"): (SOMEBODY, {}),
    ("get", "/api/v1/auth/me"): (SOMEBODY, {}),
    ("post", "/api/v1/auth/password"): (SOMEBODY, {"json": {}}),
    ("get", "/api/v1/tokens"): (SOMEBODY, {}),
    ("post", "/api/v1/tokens"): (SOMEBODY, {"json": {}}),
    ("delete", "/api/v1/tokens/{token}"): (OWNER, {}),
    ("post", "/api/v1/auth/forgot"): (EVERYBODY, {"json": {"email": "a@b.org"}}),
    ("post", "/api/v1/auth/reset"): (EVERYBODY, {"json": {"key": "x", "password": "y"}}),
    ("post", "/api/v1/users/{user}/reset"): (ADMIN, {}),
    ("get", "/api/v1/users"): (ADMIN, {}),
    ("patch", "/api/v1/users/{user}"): (ADMIN, {"json": {}}),
    ("get", "/api/v1/projects"): (SOMEBODY, {}),
    ("post", "/api/v1/projects"): (ADMIN, {"json": {}}),
    ("get", "/api/v1/projects/{project}"): (MEMBERS, {}),
    ("patch", "/api/v1/projects/{project}"): (MANAGERS, {"json": {}}),
    ("get", "/api/v1/projects/{project}/members"): (MANAGERS, {}),
    ("put", "/api/v1/projects/{project}/members/{user}"): (MANAGERS, {"json": {}}),
    ("delete", "/api/v1/projects/{project}/members/{user}"): (MANAGERS, {}),
    ("get", "/api/v1/projects/{project}/invites"): (MANAGERS, {}),
    ("post", "/api/v1/projects/{project}/invites"): (MANAGERS, {"json": {}}),
    ("delete", "/api/v1/projects/{project}/invites/{invite}"): (MANAGERS, {}),
    ("get", "/api/v1/projects/{project}/guidelines"): (MEMBERS, {}),
    ("post", "/api/v1/projects/{project}/guidelines"): (MANAGERS, {"json": {}}),
    ("post", "/api/v1/projects/{project}/imports"): (MANAGERS, {"params": {"kind": "write"}, "content": b""}),
    ("post", "/api/v1/projects/{project}/imports/check"): (MANAGERS, {"params": {"kind": "write"}, "content": b""}),
    ("get", "/api/v1/projects/{project}/imports/samples/{kind}/{form}"): (MANAGERS, {}),
    ("post", "/api/v1/archives"): (ADMIN, {"params": {"slug": "made-of-one"}, "content": b""}),
    ("get", "/api/v1/projects/{project}/tasks"): (MANAGERS, {}),
    ("get", "/api/v1/projects/{project}/assignments"): (MANAGERS, {}),
    ("patch", "/api/v1/projects/{project}/assignments/{assignment}"): (MANAGERS, {"json": {}}),
    ("get", "/api/v1/projects/{project}/critiques"): (MANAGERS, {}),
    ("get", "/api/v1/projects/{project}/queue"): (MEMBERS, {}),
    ("post", "/api/v1/projects/{project}/queue/{kind}/claim"): (WORKERS, {}),
    ("get", "/api/v1/seats/{seat}"): (OWNER, {}),
    ("put", "/api/v1/seats/{seat}/heartbeat"): (OWNER, {"json": {}}),
    ("get", "/api/v1/seats/{seat}/draft"): (OWNER, {}),
    ("put", "/api/v1/seats/{seat}/draft"): (OWNER, {"json": {}, "headers": {"If-Match": "0"}}),
    ("post", "/api/v1/seats/{seat}/first-pass"): (OWNER, {"json": {}}),
    ("post", "/api/v1/seats/{seat}/run"): (OWNER, {"json": {}}),
    ("post", "/api/v1/seats/{seat}/adversary"): (OWNER, {"json": {}}),
    ("post", "/api/v1/seats/{seat}/submit"): (OWNER, {"json": {}, "headers": {"Idempotency-Key": "matrix-row"}}),
    ("post", "/api/v1/seats/{seat}/release"): (OWNER, {}),
    ("post", "/api/v1/seats/{seat}/skip"): (OWNER, {"json": {}}),
    ("post", "/api/v1/seats/{seat}/decline"): (OWNER, {"json": {}}),
    ("get", "/api/v1/projects/{project}/submissions"): (MEMBERS, {}),
    ("get", "/api/v1/submissions/{submission}"): (OWNER, {}),
    ("post", "/api/v1/submissions/{submission}/undo"): (OWNER, {}),
    ("post", "/api/v1/submissions/{submission}/amend"): (
        OWNER,
        {"json": {}, "headers": {"Idempotency-Key": "matrix-row"}},
    ),
    ("post", "/api/v1/projects/{project}/rechecks"): (MANAGERS, {"json": {}}),
    ("post", "/api/v1/projects/{project}/comparisons"): (MANAGERS, {"json": {"n": -1}}),
    ("get", "/api/v1/projects/{project}/stats/{statistic}"): (WATCHERS, {}),
    ("get", "/api/v1/projects/{project}/exports/{form}"): (MANAGERS, {}),
    ("get", "/api/v1/projects/{project}/reviews"): (WORKERS, {}),
    ("post", "/api/v1/projects/{project}/reviews"): (WORKERS, {"json": {}}),
    ("get", "/api/v1/projects/{project}/reviews/{review}"): (OWNER, {}),
    ("put", "/api/v1/projects/{project}/reviews/{review}/comments/{comment}"): (
        OWNER,
        {"json": {"verdict": "accept"}},
    ),
    ("get", "/api/v1/jobs/{job}"): (OWNER | MANAGERS, {}),
    ("delete", "/api/v1/jobs/{job}"): (OWNER | MANAGERS, {}),
    ("get", "/api/v1/projects/{project}/events"): (WATCHERS, {"params": {"seconds": 0}}),
    ("get", "/healthz"): (EVERYBODY, {}),
    ("get", "/readyz"): (EVERYBODY, {}),
    ("get", "/metrics"): (ADMIN, {}),
}
OPEN = {"/api/v1/auth/login", "/api/v1/auth/accept", "/api/v1/auth/reset"}  # 401 and 404 are about the body there


@pytest.fixture
def ids(world: World) -> dict[str, Any]:
    """Something of the annotator's for every parameter of a path."""
    at = world.at("annotator")
    world.load("write", [task(n) for n in range(9)])
    world.load("rate", [comparison()])
    done = world.claim("annotator", "write")
    assert done is not None
    form = {"comments": [{"highlight": PLACE, "text": "It begins at one."}]}
    made = world.submit("annotator", done["id"], form, key=next(KEYS))
    seat = world.claim("annotator", "write")
    assert seat is not None
    review = at.post(f"{P}/reviews", json={"code": "x = 1\n"}).json()
    invite = world.at("manager").post(f"{P}/invites", json={"role": "viewer"}).json()
    rows = world.at("manager").get(f"{P}/assignments").json()["assignments"]
    token = at.post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]}).json()
    return {
        "project": SLUG,
        "seat": seat["id"],
        "submission": made["id"],
        "review": review["id"],
        "job": review["job"],
        "invite": invite["id"],
        "assignment": rows[0]["id"],
        "token": token["id"],
        "user": world.users["second"].id,
        "kind": "write",
        "statistic": "progress",
        "form": "archive",
        "comment": 0,
    }


def test_every_route_has_a_row_and_every_row_a_route(world: World) -> None:
    paths = world.app.openapi()["paths"]
    routes = {(method, path) for path, operations in paths.items() for method in operations}
    assert routes == set(ROWS)


def test_everybody_gets_what_their_role_may_and_nothing_else(world: World, ids: dict[str, Any]) -> None:
    wrong = []
    # What takes something away comes last, so that it is there for the others.
    order = sorted(ROWS, key=lambda row: (row[0] == "delete", row[1].endswith(("release", "logout", "undo"))))
    for method, route in order:
        allowed, request = ROWS[method, route]
        for who in (*(w for w in WHO if w not in allowed), *(w for w in WHO if w in allowed)):
            if route.endswith("logout") and who:
                world.keys["leaving"] = world.keys[who]
                continue  # it would log them out for the rows that follow; see test_people
            answer = world.at(who).request(method, route.format(**ids), **request)
            refused = answer.status_code == 403 if route in OPEN else answer.status_code in (401, 403, 404)
            gone = method == "delete" and answer.status_code == 404 and who in allowed  # the first one did it
            if (who in allowed) == refused and not gone:
                wrong.append(f"{method} {route}: {who or 'nobody'} got {answer.status_code}")
            if who == "" and route not in OPEN and "" not in allowed and answer.status_code != 401:
                wrong.append(f"{method} {route}: nobody got {answer.status_code}, not 401")
            if who == "stranger" and "{project}" in route and answer.status_code != 404:
                wrong.append(f"{method} {route}: a stranger learns that the project is there: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_what_belongs_to_others_looks_like_what_is_not_there(world: World, ids: dict[str, Any]) -> None:
    for path, other in (
        (f"/api/v1/seats/{ids['seat']}", "/api/v1/seats/AAAAAAAAAAAAAAAAAAAAAA"),
        (f"/api/v1/submissions/{ids['submission']}", "/api/v1/submissions/99999"),
        (f"{P}/reviews/{ids['review']}", f"{P}/reviews/AAAAAAAAAAAAAAAAAAAAAA"),
        (f"/api/v1/jobs/{ids['job']}", "/api/v1/jobs/AAAAAAAAAAAAAAAAAAAAAA"),
    ):
        theirs, nothing = world.at("second").get(path), world.at("second").get(other)
        assert (theirs.status_code, theirs.json()) == (404, nothing.json()), path
    inside = world.at("admin").post("/api/v1/projects", json={"slug": "other", "name": "Other"})
    assert inside.status_code == 201
    foreign = world.at("admin").patch(f"/api/v1/projects/other/assignments/{ids['assignment']}", json={"priority": 1})
    assert foreign.status_code == 404
