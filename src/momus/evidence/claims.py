"""What a comment says that the code does on some input: "`f([])` raises IndexError", "`mean([1, 3])` gives 8"."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from momus.evidence.running import Result
from momus.inputs.values import Encoded, encoded, literal, parsed, same, value_end

_CLAIM = re.compile(
    r"`(?P<call>[^`\n]{3,200}\))`\s*,?\s*(?:(?:now|currently|here|then|wrongly|incorrectly|always|still)\s+)?"
    r"(?:(?P<raises>raises|throws)\s+(?:an?\s+)?`?(?P<error>[A-Za-z_]\w*)"
    r"|(?:gives|returns|yields|evaluates\s+to|outputs|comes\s+to)\s+(?:back\s+)?(?P<tick>`?)(?=(?P<value>\S)))"
)
# What stands before such a claim in its sentence where it is not about the code as it is.
_ELSE = re.compile(
    r"\b(?:fix\w*|suggest\w*|correct\w*|expect\w*|instead|so\s+that|after|promis\w*|would|should|must|if|unless"
    r"|until|ought|want\w*|ensure\w*)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?;]\s")
_ENDS = re.compile(r"[`\s]*(?:$|[.,;:!?)]|\n|\b(?:and|but|while|instead|rather|where|because|as|not|for|when|since)\b)")


@dataclass(frozen=True, slots=True)
class Claim:
    """A call, and the value or the exception that it is said to come to; both as the comment writes them."""

    call: str
    value: str = ""
    error: str = ""

    def holds(self, result: Result) -> bool | None:
        """Whether a call came to what is claimed; None where that cannot be told."""
        if not result.certain or result.kind in ("timeout", "exited"):
            return None
        if self.error:
            return self.error in result.errors or self.error == result.error
        if result.kind == "raised":
            return False
        claimed: Encoded | None = encoded(self.value)
        if claimed is None or result.value is None:
            return None
        return same(result.value, claimed, loose=True)


def claims_of(text: str, names: Collection[str]) -> Iterator[Claim]:
    """The claims of a comment about calls of some functions, named alone or as methods; what is meant to be is none."""
    for found in _CLAIM.finditer(text):
        start = max((end.end() for end in _SENTENCE.finditer(text, 0, found.start())), default=0)
        if _ELSE.search(text, start, found.start()) or not _calls(found["call"], names):
            continue
        if found["raises"]:
            yield Claim(found["call"], error=found["error"])
            continue
        at = found.end()
        end = value_end(text, at)
        if end is not None and _ENDS.match(text, end) and (value := literal(text[at:end])) is not None:
            yield Claim(found["call"], value=value)


def _calls(source: str, names: Collection[str]) -> bool:
    """Whether an expression is a call of one of some functions with literals."""
    tree = parsed(source)
    if not isinstance(tree, ast.Call):
        return False
    name = tree.func.attr if isinstance(tree.func, ast.Attribute) else getattr(tree.func, "id", "")
    arguments = [*tree.args, *(keyword.value for keyword in tree.keywords)]
    return name in names and all(literal(ast.unparse(one)) is not None for one in arguments)
