"""Builds the project's Python environment in `.venv`, and only when its requirement files have changed.

Run by the machine's own Python before anything is installed, hence the standard library alone:

    python3.11 -m core.tools.environment studio        what the main job needs (make run)
    python3.11 -m core.tools.environment models        and the torch engines (make models)
    python3.11 -m core.tools.environment development   and the tools (make test)

Each level contains the ones before it. A stamp in `.venv` holds the digest of the files a level was installed from,
so a second `make run` asks no registry anything. An interrupted installation leaves no stamp and is taken up again.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LEVELS: Mapping[str, str] = {
    "studio": "requirements-light.txt",
    "models": "requirements.txt",
    "development": "requirements-dev.txt",
}
"""Level → the file that it is installed from, smallest level first."""

WITHOUT_DEPENDENCIES = "requirements-nodeps.txt"
PYTHON = (3, 11)
FREE_GIGABYTES: Mapping[str, float] = {"studio": 3.5, "models": 6.0, "development": 6.5}
"""Disk space an installation needs with its temporary files, measured and rounded up."""

_INCLUDE = re.compile(r"^\s*-[rc]\s+(\S+)")
_ARRIVED = re.compile(r"^\s*(Using cached|Downloading|Processing) ")


class EnvironmentProblem(Exception):
    """Something that the person at the keyboard has to do; the text says what."""


def requirement_files(file: Path) -> list[Path]:
    """A requirement file and all that it includes with -r or -c, each once, in reading order."""
    found: list[Path] = []
    waiting = [file]
    while waiting:
        current = waiting.pop(0)
        if current in found:
            continue
        found.append(current)
        for line in current.read_text(encoding="utf-8").splitlines():
            if match := _INCLUDE.match(line):
                waiting.append(current.parent / match.group(1))
    return found


def digest(root: Path, level: str, python: str) -> str:
    """What an installation depends on: the files' contents, the Python release, the folder (scripts hold its path)."""
    state = hashlib.sha256(f"{python}\n{root}\n".encode())
    for file in [*requirement_files(root / LEVELS[level]), root / WITHOUT_DEPENDENCIES]:
        state.update(f"{file.name}\n".encode())
        state.update(file.read_bytes())
    return state.hexdigest()


def levels_within(level: str) -> list[str]:
    """The level and the smaller ones that it contains."""
    names = list(LEVELS)
    return names[: names.index(level) + 1]


def prepare(root: Path, level: str) -> bool:
    """Bring `.venv` to a level; True if something was installed. Raises EnvironmentProblem."""
    _check_python()
    venv = root / ".venv"
    with _one_at_a_time(root):
        wanted = digest(root, level, sys.version.split()[0])
        stamp = venv / f".installed-{level}"
        if _usable(venv) and stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
            return False
        _check_space(root, level)
        if not _usable(venv) or _moved(venv, root):
            _create(venv)
        _say(f"Installing Python packages ({LEVELS[level]}). This happens once; it takes a minute or a few.")
        began = time.monotonic()
        for name in levels_within(level):
            (venv / f".installed-{name}").unlink(missing_ok=True)
        _install(root, venv, ["-r", LEVELS[level]])
        _install(root, venv, ["--no-deps", "-r", WITHOUT_DEPENDENCIES])
        for name in levels_within(level):
            (venv / f".installed-{name}").write_text(digest(root, name, sys.version.split()[0]), encoding="ascii")
        (venv / ".folder").write_text(str(root), encoding="utf-8")
        _say(f"Packages are ready after {time.monotonic() - began:.0f} s.")
        return True


def _check_python() -> None:
    if sys.version_info[:2] != PYTHON:
        raise EnvironmentProblem(
            f"The studio needs Python 3.11; this is {sys.version.split()[0]}. Install Python 3.11 and run make again, "
            "or name it: make PYTHON=/path/to/python3.11 run"
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise EnvironmentProblem(
            "This Python cannot make environments. On Debian or Ubuntu: apt install python3-venv, then run make again."
        )


def _check_space(root: Path, level: str) -> None:
    free = shutil.disk_usage(root).free / 1e9
    if free < FREE_GIGABYTES[level]:
        raise EnvironmentProblem(
            f"{FREE_GIGABYTES[level]:.1f} GB of free disk space are needed here and {free:.1f} GB are left. "
            "Free some space and run make again."
        )


def _usable(venv: Path) -> bool:
    python = venv / "bin" / "python"
    if not python.exists():
        return False
    check = "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))"
    return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0


def _moved(venv: Path, root: Path) -> bool:
    noted = venv / ".folder"
    return noted.is_file() and noted.read_text(encoding="utf-8") != str(root)


def _create(venv: Path) -> None:
    _say("Making a Python environment in .venv.")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", venv], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise EnvironmentProblem(f"The Python environment could not be made:\n{made.stdout}{made.stderr}")


def _install(root: Path, venv: Path, arguments: list[str]) -> None:
    """Run pip; its own many lines go to a log, a person sees a count."""
    log = venv / "install.log"
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    arrived, shown, announced = 0, 0, False
    with (
        log.open("a", encoding="utf-8") as record,
        subprocess.Popen(
            [*command, "--progress-bar", "off", *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            record.write(line)
            arrived += bool(_ARRIVED.match(line))
            if arrived >= shown + 25:
                shown = arrived
                _say(f"  {arrived} packages fetched")
            if line.startswith("Installing collected packages") and not announced:
                announced = True
                _say("  unpacking")
    if pip.returncode != 0:
        tail = "".join(log.read_text(encoding="utf-8").splitlines(keepends=True)[-12:])
        raise EnvironmentProblem(
            f"{tail}\nThe packages could not be installed; the lines above are pip's, all are in .venv/install.log. "
            "Check the network and run make again: what was fetched is kept."
        )


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Two makes in one folder: the second waits for the first."""
    with (root / "constraints.txt").open("rb") as gate:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another make is installing here; waiting for it.")
            fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in LEVELS:
        print(f"usage: python3.11 -m core.tools.environment {'|'.join(LEVELS)}", file=sys.stderr)
        return 2
    try:
        prepare(Path.cwd(), arguments[0])
    except EnvironmentProblem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
