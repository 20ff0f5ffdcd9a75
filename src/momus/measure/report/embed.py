"""An SVG file made fit to stand in a page: no style attributes, no ids that another figure has too.

The page's security policy lets in one style sheet only, so what the SVG styles becomes attributes.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_DROPPED = frozenset({"metadata", "style"})


def embedded(svg: str, name: str) -> str:
    """The `svg` element alone, as wide as its place, ids behind `name`."""
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child) in _DROPPED:
                parent.remove(child)
    for element in root.iter():
        _mend(element, name)
    # what the style sheet of matplotlib's files says of everything
    root.set("stroke-linejoin", "round")
    root.set("stroke-linecap", "butt")
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title")
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _mend(element: ElementTree.Element, name: str) -> None:
    style = element.attrib.pop("style", "")
    for declaration in style.split(";"):
        key, colon, value = declaration.partition(":")
        if colon:
            _set(element, key.strip(), value.strip())
    if "id" in element.attrib:
        element.set("id", f"{name}-{element.attrib['id']}")
    if _HREF in element.attrib:
        element.set("href", element.attrib.pop(_HREF))
    if element.attrib.get("href", "").startswith("#"):
        element.set("href", f"#{name}-{element.attrib['href'][1:]}")
    for key, value in element.attrib.items():
        element.set(key, _REFERENCE.sub(lambda match: f"url(#{name}-{match[1]})", value))


def _set(element: ElementTree.Element, key: str, value: str) -> None:
    if key == "font":  # a shorthand is no attribute: "10px 'DejaVu Sans'", perhaps with a weight before it
        found = re.match(r"(?:(?P<weight>bold|[1-9]00)\s+)?(?P<size>[\d.]+px)", value)
        if found:
            element.set("font-size", found["size"])
            if found["weight"]:
                element.set("font-weight", found["weight"])
    elif key != "font-family":  # the page's own
        element.set(key, value)


def _local(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
