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


BROKEN = "nothing-of-that-name @ file:///no/such/folder\n"


def test_an_environment_is_built_when_it_has_to_be(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One story, since each environment takes seconds: built, left alone, changed, failed, repaired, moved."""
    light = root / "requirements-light.txt"
    assert prepare(root, "studio") is True
    python = root / ".venv" / "bin" / "python"
    answer = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(root / ".venv")
    capsys.readouterr()
    assert prepare(root, "studio") is False
    assert capsys.readouterr().out == ""

    assert prepare(root, "models") is True
    assert prepare(root, "studio") is False, "a larger level contains the smaller one"

    asked = light.read_text(encoding="utf-8")
    light.write_text(BROKEN, encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r"could not be installed.*run make again"):
        prepare(root, "studio")
    light.write_text(asked, encoding="utf-8")
    assert prepare(root, "studio") is True, "a failed installation left no stamp"

    moved = root.rename(root.with_name("elsewhere"))
    assert prepare(moved, "studio") is True
    shebang = (moved / ".venv" / "bin" / "pip").read_text(encoding="utf-8")
    assert str(moved) in shebang
    assert "spaces" not in shebang
