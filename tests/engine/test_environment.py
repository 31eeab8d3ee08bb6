"""A real environment, made from requirement files that ask for nothing: when it is built, and when it is left alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from core.tools.environment import LEVELS, WITHOUT_DEPENDENCIES, EnvironmentProblem, prepare


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    for name in ("constraints.txt", WITHOUT_DEPENDENCIES, *LEVELS.values()):
        (folder / name).write_text("-c constraints.txt\n" if name in LEVELS.values() else "", encoding="utf-8")
    return folder


def test_an_environment_is_built_once_and_again_when_a_file_changes(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(root, "studio") is True
    answer = subprocess.run(
        [root / ".venv" / "bin" / "python", "-c", "import sys; print(sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == str(root / ".venv")
    capsys.readouterr()
    assert prepare(root, "studio") is False
    assert capsys.readouterr().out == ""
    with (root / "requirements-light.txt").open("a", encoding="utf-8") as file:
        file.write("# another line\n")
    assert prepare(root, "studio") is True
    assert prepare(root, "models") is True
    assert prepare(root, "studio") is False, "a larger level contains the smaller one"


def test_a_failed_installation_says_so_and_is_taken_up_again(root: Path) -> None:
    light = root / "requirements-light.txt"
    light.write_text("nothing-of-that-name @ file:///no/such/folder\n", encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r"could not be installed.*run make again"):
        prepare(root, "studio")
    light.write_text("", encoding="utf-8")
    assert prepare(root, "studio") is True
    light.write_text("nothing-of-that-name @ file:///no/such/folder\n", encoding="utf-8")
    with pytest.raises(EnvironmentProblem):
        prepare(root, "studio")
    with pytest.raises(EnvironmentProblem):
        prepare(root, "studio")


def test_a_moved_folder_gets_a_new_environment(root: Path) -> None:
    prepare(root, "studio")
    moved = root.rename(root.with_name("elsewhere"))
    assert prepare(moved, "studio") is True
    shebang = (moved / ".venv" / "bin" / "pip").read_text(encoding="utf-8")
    assert str(moved) in shebang
    assert "spaces" not in shebang
