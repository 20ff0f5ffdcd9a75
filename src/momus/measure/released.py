"""Functions of released packages, as they stand in pinned wheels: code that is, nearly always, right."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from momus.corpus.functions import Function, FunctionNode, functions_of, read_source
from momus.corpus.packages import PACKAGES, Package, fetch, parse_packages, read_wheel
from momus.records import Task

# What a function, (node, qualified name, the class it is a method of), needs from the rest of its file, by the tree.
Around = Callable[[ast.AST, str, ast.ClassDef | None], str]
ContextOf = Callable[[ast.Module], Around]

# Measured on beside the held-out packages of the corpus. None of them is in a training corpus.
_MEASURED = """
apscheduler==3.11.3 | MIT | queues
boltons==26.2.0 | BSD | functional
cattrs==26.2.1 | MIT | data classes
deepdiff==9.1.0 | MIT | data
feedparser==6.0.14 | BSD-2-Clause | text
fsspec==2026.9.0 | BSD-3-Clause | files
h2==4.4.1 | MIT | networking
html5lib==1.1 | MIT | parsers
isort==9.0.2 | MIT | static analysis
libcst==1.9.0 | MIT | static analysis
markdown-it-py==4.3.0 | MIT | text
netaddr==1.3.0 | BSD | networking
oauthlib==4.0.1 | BSD-3-Clause | web
pint==0.25.3 | BSD | science
pyjwt==2.15.1 | MIT | cryptography
python-docx==1.2.0 | MIT | documents
sqlparse==0.6.1 | BSD | parsers
starlette==1.10.0 | BSD-3-Clause | web
tabulate==0.10.0 | MIT | terminal
tenacity==9.2.1 | Apache-2.0 | functional
tomlkit==0.15.2 | MIT | parsers
typer==0.29.2 | MIT | command line
watchdog==7.1.0 | Apache-2.0 | files
"""
# Of the corpus' packages, those that are kept out of any training of a pretrained model: for choosing and for fitting.
_TUNE = ("beautifulsoup4", "coverage", "joblib", "kombu")
_CALIBRATION = (
    *("alembic", "anyio", "babel", "bottle", "docker", "fabric", "falcon", "graphql-core", "jsonschema", "mako"),
    *("markdown", "more-itertools", "mpmath", "nbconvert", "packaging", "parso", "pygments", "pyparsing"),
    *("python-dateutil", "seaborn", "toolz", "traitlets", "virtualenv"),
)

REPORT_PACKAGES: tuple[Package, ...] = (
    *(package for package in PACKAGES if package.split == "heldout"),
    *parse_packages(_MEASURED, "heldout"),
)
TUNE_PACKAGES: tuple[Package, ...] = tuple(package for package in PACKAGES if package.name in _TUNE)
CALIBRATION_PACKAGES: tuple[Package, ...] = tuple(
    package for package in PACKAGES if package.name in _CALIBRATION or package.split == "dev"
)


@dataclass(frozen=True, slots=True)
class Released:
    """A function of a pinned package, with what its file says around it."""

    function: Function
    context: str = ""

    @property
    def id(self) -> str:
        """`released/PACKAGE==VERSION/path:name`."""
        made = self.function
        return f"released/{made.package}=={made.version}/{made.id.removeprefix(made.package + '/')}"

    def task(self) -> Task:
        """As a task without a question: its docstring, where it has one, stands in the code."""
        made = self.function
        return Task(
            id=self.id,
            question="",
            answer=made.code,
            context=self.context,
            group=made.package,
            source=f"{made.package} {made.version}",
            licence=made.licence,
        )


def functions(
    package: Package, wheels: Path, context_of: ContextOf | None = None, wanted: Container[str] | None = None
) -> Iterator[Released]:
    """The functions of a package's wheel, which is fetched into the folder `wheels` where it is not there.

    `wanted` are ids, None for all. Raises MomusError where the wheel cannot be fetched or read.
    """
    files = read_wheel(package, fetch(package, wheels))
    found = functions_of(
        files, package=package.name, version=package.version, licence=package.licence, split=package.split
    )
    if wanted is not None:
        found = (function for function in found if Released(function).id in wanted)
    if context_of is None:
        yield from map(Released, found)
        return
    sources = dict(files)
    opened: dict[str, tuple[Around, dict[str, list[_Placed]]]] = {}
    for function in found:
        if function.path not in opened:
            source = read_source(sources[function.path])
            assert source is not None  # its functions have just been read
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source)
            opened[function.path] = context_of(tree), _nodes(tree)
        context, nodes = opened[function.path]
        _, _, number = function.id.partition("#")
        node, within = nodes[function.name][int(number or 1) - 1]
        yield Released(function, context(node, function.name, within))


def with_ids(
    ids: Sequence[str], packages: Sequence[Package], wheels: Path, context_of: ContextOf | None
) -> dict[str, Task]:
    """The tasks of some functions by id; only the wheels that these need are opened."""
    wanted = set(ids)
    pins = {name.split("/", 2)[1] for name in ids}
    return {
        made.id: made.task()
        for package in packages
        if f"{package.name}=={package.version}" in pins
        for made in functions(package, wheels, context_of, wanted)
    }


_Placed = tuple[ast.AST, ast.ClassDef | None]


def _nodes(tree: ast.Module) -> dict[str, list[_Placed]]:
    """Functions, each with the class that it is a method of, by qualified name; of one name in the file's order."""
    found: dict[str, list[_Placed]] = {}
    pending: list[tuple[ast.AST, str, ast.ClassDef | None]] = [(tree, "", None)]
    while pending:
        node, prefix, within = pending.pop()
        if isinstance(node, FunctionNode):
            found.setdefault(prefix + node.name, []).append((node, within))
            within = None
        if isinstance(node, ast.ClassDef):
            within = node
        if isinstance(node, FunctionNode | ast.ClassDef):
            prefix = f"{prefix}{node.name}."
        children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.ExceptHandler)]
        pending.extend((child, prefix, within) for child in reversed(children))
    return found
