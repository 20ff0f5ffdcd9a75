"""Build the corpus: fetch the packages, cut out their functions, drop the copies, write the splits."""

from __future__ import annotations

import hashlib
import json
import platform
import sysconfig
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from momus import __version__
from momus.corpus.dedupe import fingerprint, unique
from momus.corpus.functions import Function, functions_of, is_wanted_file
from momus.corpus.packages import PACKAGES, Package, check_packages, fetch, read_wheel
from momus.decode import from_json
from momus.errors import MomusError
from momus.records import read_jsonl, write_jsonl

SPLITS = ("train", "dev", "heldout")
RULES_VERSION = 2  # raise it where the rules of extraction change: what was built by older rules is built anew
STDLIB = Package("python", platform.python_version(), "PSF-2.0", "standard library")


def build(
    out_dir: Path,
    packages: Sequence[Package] = PACKAGES,
    *,
    jobs: int = 2,
    stdlib: bool = True,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Write functions-train.jsonl, -dev and -heldout.jsonl and manifest.json into a folder; return the manifest.

    Wheels are kept in its folder `packages`, the functions of each package in `functions`: a killed build goes on
    with the packages that are left, a finished one is not run again. `report` is called with a line per package.
    Raises MomusError if a package is refused or can't be fetched.
    """
    check_packages(tuple(packages))
    wanted = [*packages, STDLIB] if stdlib else list(packages)
    inputs = [[p.name, p.version, p.licence, p.split, RULES_VERSION] for p in wanted]
    finished = read_manifest(out_dir)
    if finished is not None and finished["inputs"] == inputs and _is_whole(out_dir, finished):
        report(f"{out_dir} is built already")
        return finished
    shards = _extract_all(wanted, out_dir, jobs, report)
    report("dropping copies")
    kept = list(unique(pair for shard in shards for pair in _read_shard(shard)))
    manifest: dict[str, Any] = {
        "schema_version": 1,
        "momus": __version__,
        "python": platform.python_version(),
        "inputs": inputs,
        "packages": [
            {"name": p.name, "version": p.version, "licence": p.licence, "kind": p.kind, "split": p.split}
            for p in wanted
        ],
        "functions_before_dedupe": sum(1 for shard in shards for _ in shard.open(encoding="utf-8")),
        "per_package": dict(sorted(Counter(function.package for function in kept).items())),
        "splits": {},
    }
    for split in SPLITS:
        path = out_dir / f"functions-{split}.jsonl"
        part = [function for function in kept if function.split == split]
        write_jsonl(path, part)
        manifest["splits"][split] = {
            "file": path.name,
            "functions": len(part),
            "with_doc": sum(bool(function.doc) for function in part),
            "characters": sum(len(function.code) for function in part),
            "sha256": file_hash(path),
        }
    partial = out_dir / "manifest.json.partial"
    partial.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    partial.replace(out_dir / "manifest.json")
    return manifest


def read_split(out_dir: Path, split: str) -> Iterator[Function]:
    """Read a split of a built corpus. Raises MomusError where it is not built."""
    path = out_dir / f"functions-{split}.jsonl"
    if not path.is_file():
        raise MomusError(f"{path} is not there: build the corpus with 'momus train corpus --out {out_dir}'")
    return read_jsonl(path, Function)


def read_manifest(out_dir: Path) -> dict[str, Any] | None:
    """The manifest of a built corpus, None where there is none that can be read."""
    try:
        manifest = from_json((out_dir / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and "inputs" in manifest and "splits" in manifest else None


def file_hash(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _extract_all(wanted: Sequence[Package], out_dir: Path, jobs: int, report: Callable[[str], None]) -> list[Path]:
    (out_dir / "functions").mkdir(parents=True, exist_ok=True)
    shards = [out_dir / "functions" / f"{p.name}-{p.version}-{p.split}-{RULES_VERSION}.jsonl" for p in wanted]
    missing = [(p, shard) for p, shard in zip(wanted, shards, strict=True) if not shard.is_file()]
    with ProcessPoolExecutor(max_workers=max(1, jobs)) as pool:
        running = {pool.submit(_extract_package, p, out_dir / "packages", shard): p for p, shard in missing}
        try:
            for done, future in enumerate(as_completed(running), 1):
                package = running[future]
                report(f"{done}/{len(missing)} {package.name} {package.version}: {future.result()} functions")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return shards


def _extract_package(package: Package, cache: Path, shard: Path) -> int:
    """Write the functions of one package, each line a fingerprint, a tab and the record; return how many."""
    files = _stdlib_files() if package == STDLIB else read_wheel(package, fetch(package, cache))
    partial = shard.with_name(shard.name + ".partial")
    count = 0
    with partial.open("w", encoding="utf-8") as out, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in functions_of(
            files, package=package.name, version=package.version, licence=package.licence, split=package.split
        ):
            out.write(f"{fingerprint(function.code)}\t{function.model_dump_json(exclude_defaults=True)}\n")
            count += 1
    partial.replace(shard)
    return count


def _read_shard(shard: Path) -> Iterator[tuple[str, Function]]:
    with shard.open(encoding="utf-8") as lines:
        for line in lines:
            key, _, body = line.partition("\t")
            yield key, Function.model_validate_json(body)


def _stdlib_files() -> Iterator[tuple[str, bytes]]:
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if is_wanted_file(name):
            yield name, path.read_bytes()


def _is_whole(out_dir: Path, manifest: dict[str, Any]) -> bool:
    files = [(out_dir / part["file"], part["sha256"]) for part in manifest["splits"].values()]
    return len(files) == len(SPLITS) and all(path.is_file() and file_hash(path) == digest for path, digest in files)
