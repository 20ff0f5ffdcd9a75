"""Rows as other tools nest them (Label Studio, Argilla, data sets), as flat columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
LABEL_STUDIO, ARGILLA = "Label Studio", "Argilla"
_DEEP = 3  # levels of objects that become names with dots


def export_of(row: Json) -> str:
    """The tool that a row is an export of; empty where it is of none that is known."""
    if isinstance(row.get("data"), dict) and {"annotations", "completions", "predictions"} & set(row):
        return LABEL_STUDIO
    if isinstance(row.get("fields"), dict) and {"responses", "suggestions", "metadata", "_server_id"} & set(row):
        return ARGILLA
    flat = {"_server_id", "status"} <= set(row) or any(key.endswith(".responses") for key in row)
    return ARGILLA if flat else ""


def columns_of(row: Json) -> Json:
    """The columns of a row: names with dots for what is nested; what was annotated stands under its question's name."""
    kind = export_of(row)
    if kind == LABEL_STUDIO:
        return _label_studio(row)
    if kind == ARGILLA and isinstance(row.get("fields"), dict):
        return _argilla(row)
    flat = dict(_flat(row))
    return {name: _first(value) if name.endswith(".responses") else value for name, value in flat.items()}


def _flat(row: Json, before: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, dict) and value and depth < _DEEP:
            yield from _flat(value, f"{before}{key}.", depth + 1)
        else:
            yield f"{before}{key}", value


def _label_studio(row: Json) -> Json:
    """The data of a task and the first annotation that was not cancelled; else the first prediction."""
    told = row.get("annotations") or row.get("completions") or []
    made = [one for one in told if isinstance(one, dict) and not one.get("was_cancelled")]
    made += [one for one in row.get("predictions") or [] if isinstance(one, dict)]
    flat = dict(_flat(row["data"]))
    if "id" in row:
        flat.setdefault("id", row["id"])
    if made:
        for name, values in _results(made[0].get("result")).items():
            flat[name if name not in flat else f"{name}.annotated"] = values
    return flat


def _results(results: Any) -> dict[str, Any]:
    """What each control of an annotation holds: spans as a list, choices and texts joined, a number as it is."""
    found: dict[str, list[Any]] = {}
    for one in results if isinstance(results, list) else []:
        if not isinstance(one, dict) or not isinstance(one.get("value"), dict) or not one.get("from_name"):
            continue
        found.setdefault(str(one["from_name"]), []).append(_value(one))
    return {name: values[0] if len(values) == 1 else _several(values) for name, values in found.items()}


def _value(one: Json) -> Any:
    value = one["value"]
    if "start" in value and "end" in value:
        labels: Any = next((value[key] for key in value if key.endswith("labels")), [])
        return [{"start": value["start"], "end": value["end"], "label": ", ".join(map(str, labels or []))}]
    for key in ("text", "choices", "rating", "number", "selected", "taxonomy"):
        if key in value:
            return value[key]
    return value


def _several(values: list[Any]) -> Any:
    return [inner for value in values for inner in (value if isinstance(value, list) else [value])]


def _argilla(row: Json) -> Json:
    flat = {**dict(_flat(row.get("metadata") or {}, "metadata.")), **dict(_flat(row["fields"]))}
    if row.get("id") is not None:
        flat.setdefault("id", row["id"])
    for name, told in (row.get("suggestions") or {}).items():
        if isinstance(told, dict):
            flat.setdefault(f"{name}.suggestion", told.get("value"))
    for name, told in (row.get("responses") or {}).items():
        value = _first(told)
        flat[name if name not in flat else f"{name}.response"] = value
    return flat


def _first(told: Any) -> Any:
    """The first answer of several people's."""
    if not isinstance(told, list) or not told:
        return told
    first = told[0]
    return first.get("value") if isinstance(first, dict) and "value" in first else first
