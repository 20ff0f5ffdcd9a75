"""Writes the table of the catalogue into docs/models.md: python tests/docs/models_table.py"""

from __future__ import annotations

import re
from pathlib import Path

from momus.models.catalogue import catalogue
from momus.models.source import in_bytes

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
_PLACE = re.compile(r"(?<=<!-- catalogue -->\n).*(?=<!-- /catalogue -->)", re.DOTALL)


def catalogue_table() -> str:
    """The table in markdown, a model a line."""
    lines = [
        "| Name | Published as | Licence | Parameters | Weights | Converted | Memory | Sources |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for model in catalogue().values():
        published = f"[{model.file}](https://huggingface.co/{model.repository})"
        parameters = f"{model.parameters / 1e9:.2f} B" if model.parameters >= 1e9 else f"{model.parameters / 1e6:.0f} M"
        sizes = " | ".join(map(in_bytes, (model.size, model.converted, model.memory)))
        sources = "hub, index" if model.packages else "hub"
        lines.append(f"| `{model.name}` | {published} | {model.licence} | {parameters} | {sizes} | {sources} |")
    return "\n".join(lines) + "\n"


def with_catalogue(page: str) -> str:
    """A page with the table as it is now."""
    return _PLACE.sub(lambda _: catalogue_table(), page)


if __name__ == "__main__":
    PAGE.write_text(with_catalogue(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
