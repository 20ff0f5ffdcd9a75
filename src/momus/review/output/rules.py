"""What each category of finding means, and what to look at: the one place for it. Ids are the categories themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A category in words: one line of what it is, and what to do about it. `tag` is what code hosts sort by."""

    description: str
    help: str
    tag: str = "correctness"


RULES: dict[str, Rule] = {
    "other": Rule(
        "A problem that fits none of the other categories.",
        "Read the comment: it says what goes wrong and when.",
    ),
    "off-by-one": Rule(
        "A bound, index or slice is one too far or one too short.",
        "Try the first element, the last one, and the empty input by hand. Ranges and slices end before their stop.",
    ),
    "wrong-comparison": Rule(
        "A comparison uses the wrong operator, such as < for <= or == for is.",
        "Ask what should happen when both sides are equal, and test exactly that input.",
    ),
    "inverted-condition": Rule(
        "A condition is the opposite of what is meant.",
        "Follow one input through each branch: the branches have changed places, or a `not` is missing or left over.",
    ),
    "wrong-condition": Rule(
        "A condition tests the wrong thing, or joins its parts wrongly.",
        "Write down the inputs that should pass. Look at `and` against `or`, and at what precedence binds first.",
    ),
    "missing-check": Rule(
        "An input that can occur is not guarded against: None, empty, zero, a missing key.",
        "Handle the case where it first appears, or raise an error that names it.",
    ),
    "wrong-operator": Rule(
        "An arithmetic, bitwise or boolean operator is not the one meant.",
        "Compute one small case by hand. Common slips: / for //, + for -, & for `and`, = for +=.",
    ),
    "wrong-variable": Rule(
        "Another variable than the one meant is read or written.",
        "Check each use of the two names: they are in scope together and of like type, so nothing else will complain.",
    ),
    "wrong-argument": Rule(
        "A call passes the wrong argument, in the wrong place, or leaves one out.",
        "Hold the call against the signature. Passing by keyword keeps the order from mattering.",
    ),
    "wrong-constant": Rule(
        "A literal has the wrong value: a number, a string, a flag or a default.",
        "Check the value against the specification, and its unit. Name it where it stands more than once.",
    ),
    "wrong-call": Rule(
        "Another function or method than the one meant is called.",
        "Look up both: near names often differ in what they return, change in place, or do when nothing is found.",
    ),
    "wrong-attribute": Rule(
        "Another attribute, key or field than the one meant is used.",
        "Check where the attribute is set and what it holds at this point.",
    ),
    "wrong-return": Rule(
        "The wrong value is returned.",
        "Compare what each path returns with what the name and the docstring promise.",
    ),
    "missing-return": Rule(
        "A path ends without returning its value, so that the caller gets None.",
        "Return on every path, or raise on those that have no answer.",
    ),
    "early-exit": Rule(
        "A return, break or raise comes too soon, so that the rest is never done.",
        "Try an input of two elements: a return inside of a loop that should stand behind it does only the first.",
    ),
    "missing-statement": Rule(
        "A needed step is missing: an update, a call, an increment, a reset.",
        "Follow the state through one pass and see what is stale afterwards.",
    ),
    "wrong-order": Rule(
        "Steps, operands or elements stand in the wrong order.",
        "Check what each step needs from the one before it, and which side of a subtraction or a pair comes first.",
    ),
    "wrong-initialisation": Rule(
        "A variable starts from the wrong value, or in the wrong place.",
        "Check the value for the empty input, and whether it has to be set anew on each pass of a loop.",
    ),
    "aliasing": Rule(
        "Two names share one mutable object, and a change through one shows through the other.",
        "Copy where independence is meant: a new list, `copy.copy`, or `copy.deepcopy` for nested data.",
    ),
    "mutable-default": Rule(
        "A default argument is mutable and keeps its contents from one call to the next.",
        "Default to None and make the object inside of the function.",
    ),
    "exception-handling": Rule(
        "An exception is caught too widely, dropped, raised wrongly or not expected.",
        "Catch the narrowest type around the one call that raises it, and let the rest pass to who can act on it.",
    ),
    "missing-await": Rule(
        "A coroutine is created but never awaited, so that its body does not run.",
        "Await it, or keep the task that runs it. A bare coroutine is always true in a condition.",
    ),
    "resource-leak": Rule(
        "A file, lock, connection or process is not released on every path.",
        "Use a `with` block, or release it in `finally`.",
        "reliability",
    ),
    "loop-control": Rule(
        "A loop stops too late, too soon or never, or skips elements.",
        "Check that each pass comes nearer to the end, what `continue` jumps over, and what changes while iterated.",
    ),
    "type-confusion": Rule(
        "A value is of another type than the code takes it for.",
        "Check what comes in at the boundary: str against bytes, int against str, one element against a list of one.",
    ),
    "undefined-name": Rule(
        "A name is used that is not bound at this point.",
        "Import or define it, mend the spelling, or bind it on the path that leaves it out.",
    ),
    "unused": Rule(
        "Something is computed, bound or passed and never used, where it was meant to be.",
        "Find the place that should use it. If there is none, delete it.",
        "maintainability",
    ),
    "security": Rule(
        "Untrusted input reaches a place where it can do harm, or a secret is exposed.",
        "Pass data apart from commands and queries, confine paths, and compare secrets in constant time.",
        "security",
    ),
    "syntax": Rule(
        "The code does not parse, so that none of it runs.",
        "Mend the syntax first. The rest of a file that does not parse is reviewed as plain text.",
    ),
    "api-misuse": Rule(
        "A library is used otherwise than it promises to work.",
        "Read the documentation of the version in use: what is returned, what may be None, what must be called first.",
    ),
}


def rule_name(category: str) -> str:
    """A category as the PascalCase name that SARIF asks for: "off-by-one" is "OffByOne"."""
    return "".join(part.capitalize() for part in category.split("-"))
