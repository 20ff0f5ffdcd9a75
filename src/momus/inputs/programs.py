"""Programs that read standard input: the inputs that a question shows, and how such a program is called."""

from __future__ import annotations

import re
import textwrap

from momus.inputs.callees import RUN_PROGRAM

FILE = "program.py"  # the file name that a program's lines are noted under

_BLOCK = re.compile(
    r"^[\s>*_#-]*(?:sample\s+|example\s+)?inputs?\b[^\n:]{0,12}:?[*_ ]*\n+(?P<text>.*?)\n+"
    r"[\s>*_#-]*(?:sample\s+|example\s+|expected\s+)?outputs?\b",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_FENCE = re.compile(r"^```\w*$", re.MULTILINE)
_LONGEST = 2_000


def inputs_in(question: str) -> list[str]:
    """The inputs that a question shows between "Input" and "Output", each with a line end, without code fences."""
    found = []
    for block in _BLOCK.finditer(question):
        text = textwrap.dedent(_FENCE.sub("", block["text"])).strip("\n")
        if text.strip() and len(text) <= _LONGEST:
            found.append("\n".join(line.rstrip() for line in text.split("\n")) + "\n")
    return list(dict.fromkeys(found))


def as_function(code: str) -> str:
    """A program as a module with one function, which takes its standard input as text and prints what it prints.

    What the program exits with is what the function returns.
    """
    return textwrap.dedent(f"""
        def {RUN_PROGRAM}(text):
            import io, os, sys, tempfile
            given = tempfile.TemporaryFile()
            given.write(text.encode())
            given.seek(0)
            os.dup2(given.fileno(), 0)
            sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8")
            try:
                exec(compile({code!r}, {FILE!r}, "exec"), {{"__name__": "__main__"}})
            except SystemExit as end:
                return end.code
    """).lstrip()
