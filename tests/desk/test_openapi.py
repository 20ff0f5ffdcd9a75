"""The API does what its description says: requests made up from it get only the answers that it names."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import load_all_checks

from desk_world import BASE, SLUG, World, comparison, task

load_all_checks()


@schemathesis.serializer("application/jsonl")
def json_lines(_: Any, value: Any) -> bytes:
    return str(value).encode()


CHECKS = [
    schemathesis.checks.not_a_server_error,
    *schemathesis.checks.CHECKS.get_by_names(
        ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
    ),
]


@pytest.fixture(scope="module")
def _desk(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World.open(f"sqlite:///{tmp_path_factory.mktemp('api') / 'desk.db'}", claims_per_minute=100_000)
    world.load("write", [task(n) for n in range(3)])
    world.load("rate", [comparison()])
    return world


def test_the_description_is_whole(_desk: World) -> None:
    described = _desk.app.openapi()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["operationId"] and operation.get("tags"), (method, path)
            if path.startswith("/api"):
                problem = operation["responses"]["404"]["content"]
                assert list(problem) == ["application/problem+json"], (method, path)
    schemas = described["components"]["schemas"]
    assert {"SeatView", "RateView", "TeamView", "PairView", "ProblemDetails"} <= set(schemas)


def test_made_up_requests_get_the_answers_that_are_described(_desk: World) -> None:
    """Every operation, a few requests each, by an admin; what would log out or wait is left out."""
    schema = schemathesis.openapi.from_dict(_desk.app.openapi())
    schema.app = _desk.app
    wrong: list[str] = []
    answers: Counter[int] = Counter()
    seat = _desk.claim("admin", "write")
    assert seat is not None
    values = {"project": SLUG, "seat": seat["id"], "kind": "write"}
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith(("/logout", "/events", "/login", "/accept", "/password")):
            continue

        @settings(
            max_examples=4,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def probe(case: Any) -> None:
            case.path_parameters = {
                **(case.path_parameters or {}),
                **{k: v for k, v in values.items() if "{" + k + "}" in case.path},
            }
            try:
                answer = case.call_and_validate(
                    base_url=BASE, cookies={"momus": _desk.keys["admin"]}, headers={"origin": BASE}, checks=CHECKS
                )
                answers[answer.status_code] += 1
            except schemathesis.core.failures.FailureGroup as failures:
                wrong.append(f"{case.method} {case.path}: {[str(f)[:300] for f in failures.exceptions]}")

        given(case=operation.as_strategy())(probe)()
    assert not wrong, "\n".join(wrong[:10])
    assert answers.total() > 100 and {200, 201, 404, 422} <= set(answers), answers
