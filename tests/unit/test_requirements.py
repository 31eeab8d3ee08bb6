"""The requirement files say what the code imports, exactly and once."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from core.tools.environment import LEVELS, WITHOUT_DEPENDENCIES, digest, levels_within, requirement_files
from core.tools.licences import imports_of, our_files, required

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("requirements-light.txt", "requirements.txt", "requirements-dev.txt", WITHOUT_DEPENDENCIES)
OURS = {"api", "app", "core", "migrations", "pages", "providers", "tests", "workers"}


def names(*files: str) -> set[str]:
    return {str(canonicalize_name(one.name)) for one in required(ROOT, *files)}


@pytest.mark.parametrize("file", [*SHARED, "requirements-audiocraft.txt"])
def test_every_requirement_names_one_release(file: str) -> None:
    for one in required(ROOT, file):
        assert re.fullmatch(r"==[^*]+", str(one.specifier)), f"{file}: {one}"


def test_constraints_agree_with_the_files_and_cover_them() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert list(pinned) == sorted(pinned)
    for one in required(ROOT, "requirements-dev.txt"):
        assert pinned.get(str(canonicalize_name(one.name))) == str(one.specifier).removeprefix("=="), one


def test_the_light_set_has_no_torch() -> None:
    light = names("requirements-light.txt", WITHOUT_DEPENDENCIES)
    assert not light & {"torch", "torchaudio", "torchvision", "transformers", "demucs", "tensorflow"}
    assert names("requirements.txt") >= {"torch", "demucs"}


def test_what_the_code_imports_is_required_by_name() -> None:
    """A package that is there only because another asks for it would leave with that other."""
    providers = metadata.packages_distributions()
    runtime = names("requirements.txt", WITHOUT_DEPENDENCIES)
    tools = names(*SHARED)
    missing = set()
    for file in our_files(ROOT):
        name = file.relative_to(ROOT).as_posix()
        allowed = tools if name.startswith(("tests/", "core/tools/")) else runtime
        for line, module in imports_of(file.read_text(encoding="utf-8")):
            if module in OURS or module in sys.stdlib_module_names or module == "google":
                continue
            sources = {str(canonicalize_name(one)) for one in providers.get(module, [])}
            if not sources & allowed:
                missing.add(f"{name}:{line} imports {module} ({', '.join(sorted(sources)) or 'not installed'})")
    assert sorted(missing) == []


def test_levels_contain_each_other() -> None:
    files = [set(requirement_files(ROOT / file)) for file in LEVELS.values()]
    assert files[0] < files[1] < files[2]
    assert levels_within("studio") == ["studio"]
    assert levels_within("development") == list(LEVELS)


def test_the_stamp_changes_with_every_file_that_matters(tmp_path: Path) -> None:
    for file in ("constraints.txt", *SHARED):
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    before = digest(tmp_path, "studio", "3.11.7")
    assert digest(tmp_path, "studio", "3.11.7") == before
    assert digest(tmp_path, "studio", "3.11.8") != before
    for file in ("requirements-light.txt", "constraints.txt", WITHOUT_DEPENDENCIES):
        text = (tmp_path / file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(text + "\n# changed\n", encoding="utf-8")
        assert digest(tmp_path, "studio", "3.11.7") != before, file
        (tmp_path / file).write_text(text, encoding="utf-8")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\n", encoding="utf-8")
    assert digest(tmp_path, "studio", "3.11.7") == before


def test_every_direct_requirement_has_its_reasons() -> None:
    told = {
        word.lower()
        for word in re.findall(r"\*\*([^*]+)\*\*", (ROOT / "docs/decisions.md").read_text(encoding="utf-8"))
    }
    assert sorted(names(*SHARED) - {str(canonicalize_name(word)) for word in told}) == []
