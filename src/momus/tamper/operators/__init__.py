"""Bug operators: each finds the places where its kind of bug can be put in, and says what to write there."""

from __future__ import annotations

from momus.tamper.operators import (
    aliasing,
    arithmetic,
    bounds,
    calls,
    comparisons,
    conditions,
    constants,
    conversions,
    failures,
    flow,
    guards,
    initial,
    mistaken,
    names,
    statements,
    values,
)
from momus.tamper.operators.base import Mutation, Operator, Site, mutate
from momus.tamper.source import Edit, Source

OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for operator in (
        *bounds.OPERATORS,
        *constants.OPERATORS,
        *comparisons.OPERATORS,
        *conditions.OPERATORS,
        *guards.OPERATORS,
        *names.OPERATORS,
        *arithmetic.OPERATORS,
        *mistaken.OPERATORS,
        *calls.OPERATORS,
        *flow.OPERATORS,
        *statements.OPERATORS,
        *initial.OPERATORS,
        *aliasing.OPERATORS,
        *conversions.OPERATORS,
        *values.OPERATORS,
        *failures.OPERATORS,
    )
}

__all__ = ["OPERATORS", "Edit", "Mutation", "Operator", "Site", "Source", "mutate"]
