"""The table of everything that is not ours, and the rules it has to keep (`make licences`).

    .venv/bin/python -m core.tools.licences

Ours is MIT. Nothing under GPL or AGPL may be imported into our processes; what is under them runs as a program and is
named in core/tools/licence_tables.py. Checked: the licence of every installed Python and npm package, shared libraries
that wheels carry along, models, fonts and sounds, and the imports in our own files. Fails on a breach and on a licence
that nobody knows.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.tools.environment import WITHOUT_DEPENDENCIES, requirement_files
from core.tools.licence_tables import (
    FORBIDDEN_IMPORTS,
    LIBRARY_EXCEPTIONS,
    MATERIALS,
    PERMISSIVE,
    PROGRAM_FILES,
    PROGRAMS,
    REVIEWED,
    SPOKEN,
    STRONG,
    STRONG_LIBRARIES,
    WEAK,
)

Verdict = Literal["free", "library", "program only", "unknown"]
Role = Literal["runtime", "development", "unlisted"]

OUR_FOLDERS = ("api", "core", "pages", "providers", "workers", "tests", "migrations")
_SEVERITY: tuple[Verdict, ...] = ("free", "library", "program only", "unknown")
_TOKEN = re.compile(r"[()]|[A-Za-z0-9.+-]+")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    kind: str
    name: str
    version: str
    licence: str
    role: str
    note: str = ""


# ---------------------------------------------------------------------------------------------------- licence names


def spdx(expression: str | None, classifiers: Iterable[str], text: str | None) -> str:
    """A package's licence as an SPDX expression, from its metadata: the expression of PEP 639, else the free text field
    if it is a known name, else the classifiers; `unknown` if none of them says it."""
    for spoken in (expression, text):
        if spoken and (known := _known(spoken)):
            return known
    named = [_known(line.rpartition("::")[2]) for line in classifiers if line.startswith("License ::")]
    found = sorted({name for name in named if name})
    return " OR ".join(found) if found else "unknown"


def _known(spoken: str) -> str | None:
    name = " ".join(spoken.split())
    if alias := SPOKEN.get(name.lower()):
        return alias
    return name if len(name) < 200 and verdict(name) != "unknown" else None


def verdict(expression: str) -> Verdict:
    """What an SPDX expression allows us: of alternatives (OR) the freest holds, of parts (AND) the strictest."""
    tokens = _TOKEN.findall(expression)
    if not tokens:
        return "unknown"
    result = _alternatives(tokens)
    return result if not tokens else "unknown"


def _alternatives(tokens: list[str]) -> Verdict:
    found = [_parts(tokens)]
    while tokens and tokens[0].upper() == "OR":
        tokens.pop(0)
        found.append(_parts(tokens))
    return min(found, key=_SEVERITY.index)


def _parts(tokens: list[str]) -> Verdict:
    found = [_single(tokens)]
    while tokens and tokens[0].upper() == "AND":
        tokens.pop(0)
        found.append(_single(tokens))
    return max(found, key=_SEVERITY.index)


def _single(tokens: list[str]) -> Verdict:
    if not tokens:
        return "unknown"
    name = tokens.pop(0)
    if name == "(":
        inner = _alternatives(tokens)
        return inner if tokens and tokens.pop(0) == ")" else "unknown"
    if len(tokens) >= 2 and tokens[0].upper() == "WITH":
        name = f"{name}-WITH-{tokens[1]}"
        del tokens[:2]
    if name in PERMISSIVE:
        return "free"
    if name in WEAK:
        return "library"
    return "program only" if name in STRONG else "unknown"


# ------------------------------------------------------------------------------------------------------- collecting


def required(root: Path, *files: str) -> list[Requirement]:
    """The requirements that files name, and those of the files they include with -r (constraints are none)."""
    found = []
    for file in files:
        for path in requirement_files(root / file):
            if path.name == "constraints.txt":
                continue
            lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
            found += [Requirement(line) for line in lines if line and not line.startswith("-")]
    return found


def closure(roots: Iterable[Requirement], leaves: frozenset[str] = frozenset()) -> set[str]:
    """Names of the installed distributions that roots bring along; what `leaves` ask for is not followed."""
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(root.name), extra) for root in roots for extra in ("", *root.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        try:
            wanted = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        seen.add((name, extra))
        if name in leaves:
            continue
        for requirement in map(Requirement, wanted):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                child = canonicalize_name(requirement.name)
                waiting += [(child, more) for more in ("", *requirement.extras)]
    return {name for name, _ in seen}


def python_rows(root: Path) -> list[Row]:
    """Every installed distribution with its licence and what it is here for."""
    leaves = frozenset(str(canonicalize_name(one.name)) for one in required(root, WITHOUT_DEPENDENCIES))
    runtime = closure(required(root, "requirements.txt", WITHOUT_DEPENDENCIES), leaves) | {"pip", "setuptools"}
    tools = closure(required(root, "requirements-dev.txt"), leaves)
    rows = []
    for distribution in metadata.distributions():
        about: Message = distribution.metadata  # type: ignore[assignment]  # the protocol lacks get()
        name = str(canonicalize_name(about["Name"]))
        role: Role = "runtime" if name in runtime else "development" if name in tools else "unlisted"
        licence = spdx(about.get("License-Expression"), about.get_all("Classifier") or [], about.get("License"))
        rows.append(_reviewed(Row("python", name, distribution.version, licence, role, PROGRAMS.get(name, ""))))
    return sorted(set(rows), key=lambda row: (row.kind, row.name))


def _reviewed(row: Row) -> Row:
    read = REVIEWED.get(row.name)
    return replace(row, licence=read.licence, note=read.read) if read else row


def npm_rows(root: Path) -> list[Row]:
    """The npm packages of the lock file as installed; empty before `make` has run the vendor step."""
    manifest = root / "vendor" / "manifest.json"
    if not manifest.is_file():
        return []
    written = json.loads(manifest.read_text(encoding="utf-8"))
    served = {row["name"] for row in written["served"]}
    return [
        _reviewed(
            Row(
                "npm", row["name"], row["version"], row["licence"], "runtime", "served" if row["name"] in served else ""
            )
        )
        for row in written["installed"]
    ]


def library_breaches() -> Iterator[str]:
    """Shared libraries under GPL inside installed wheels."""
    for distribution in metadata.distributions():
        package = str(canonicalize_name(distribution.metadata["Name"]))
        for file in distribution.files or []:
            for library, licence in STRONG_LIBRARIES.items():
                if (
                    file.name.startswith(library)
                    and ".so" in file.name
                    and (package, library) not in LIBRARY_EXCEPTIONS
                ):
                    yield f"{package} {distribution.version} brings {file.name} ({licence}) into our process."


def material_rows(root: Path) -> tuple[list[Row], list[str]]:
    """Models, fonts, sounds and programs that are there, and the ones whose file is not where the table says."""
    rows, missing = [], []
    for material in MATERIALS:
        if material.package == "vendor":
            version, found = "", (root / "vendor" / material.path).is_file()
            expected = (root / "vendor").is_dir()
        else:
            try:
                distribution = metadata.distribution(material.package)
            except metadata.PackageNotFoundError:
                continue
            version, found, expected = (
                distribution.version,
                Path(str(distribution.locate_file(material.path))).is_file(),
                True,
            )
        if found:
            rows.append(Row(material.kind, material.name, version, material.licence, material.package, material.note))
        elif expected:
            missing.append(f"{material.name}: {material.package} has no {material.path}; correct the table.")
    return rows, missing


# ------------------------------------------------------------------------------------------------------------ rules


def package_breaches(rows: Iterable[Row]) -> Iterator[str]:
    """What is wrong with the packages of a table."""
    for row in rows:
        judged = verdict(row.licence)
        if judged == "unknown":
            yield f"{row.name} {row.version}: its licence is not known ({row.licence}). Read it, enter it in REVIEWED."
        elif judged == "program only" and row.role != "development" and row.name not in PROGRAMS:
            yield f"{row.name} {row.version} is under {row.licence} and installed where the studio runs ({row.role})."


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """(line, top-level module) of every import in a Python file, import_module("…") with a literal name included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value.partition(".")[0]


def our_files(root: Path) -> list[Path]:
    """The Python files of the repository."""
    return [
        *sorted(root.glob("*.py")),
        *(file for folder in OUR_FOLDERS for file in sorted((root / folder).rglob("*.py"))),
    ]


def import_breaches(root: Path) -> Iterator[str]:
    """Imports of ours that the table forbids, and programs of ours that are not alone in their process."""
    for file in our_files(root):
        name = file.relative_to(root).as_posix()
        for line, module in imports_of(file.read_text(encoding="utf-8")):
            if module in FORBIDDEN_IMPORTS and PROGRAM_FILES.get(name) != module:
                yield f"{name}:{line} imports {module}. {FORBIDDEN_IMPORTS[module]}."
            if name in PROGRAM_FILES and module in OUR_FOLDERS:
                yield f"{name}:{line} imports {module}, but a program with {PROGRAM_FILES[name]} loads nothing of ours."


def main() -> int:
    root = Path.cwd()
    packages = [*python_rows(root), *npm_rows(root)]
    materials, misplaced = material_rows(root)
    for row in [*packages, *materials]:
        print(f"{row.kind:8} {row.name:34} {row.version:14} {row.licence:44.44} {row.role:24} {row.note}".rstrip())
    breaches = [*package_breaches(packages), *library_breaches(), *misplaced, *import_breaches(root)]
    for breach in breaches:
        print(f"licence: {breach}", file=sys.stderr)
    print(f"\n{len(packages)} packages and {len(materials)} materials; {len(breaches)} to settle.")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
