"""The browser libraries: what is pinned, copied and noticed as missing. npm itself is not run here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.tools import vendor
from core.tools.vendor import PACKAGES, VendorProblem, collect, folder_name, is_current

ROOT = Path(__file__).resolve().parents[2]
LOCK = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder as npm leaves it: every package of the lock file with the files that are served."""
    (tmp_path / "package-lock.json").write_bytes((ROOT / "package-lock.json").read_bytes())
    for place, entry in LOCK["packages"].items():
        if place:
            folder = tmp_path / place
            folder.mkdir(parents=True, exist_ok=True)
            name = place.rpartition("node_modules/")[2]
            about = {"name": name, "version": entry["version"], "license": entry.get("license", "MIT")}
            (folder / "package.json").write_text(json.dumps(about), encoding="utf-8")
            for source in PACKAGES[name].files if name in PACKAGES else ():
                (folder / source).parent.mkdir(parents=True, exist_ok=True)
                (folder / source).write_text(f"{name}/{source}", encoding="utf-8")
    return tmp_path


def test_versions_are_exact_and_the_lock_names_no_host() -> None:
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert set(wanted) == set(PACKAGES)
    for name, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert LOCK["packages"][f"node_modules/{name}"]["version"] == version
    for place, entry in LOCK["packages"].items():
        assert "resolved" not in entry, place
        assert not place or entry["integrity"].startswith("sha512-"), place


def test_everything_served_is_copied_with_a_licence_beside_it(installed: Path) -> None:
    collect(installed)
    for name, copied in PACKAGES.items():
        folder = installed / "vendor" / folder_name(name)
        for source, target in copied.files.items():
            assert (folder / target).read_text(encoding="utf-8") == f"{name}/{source}"
        assert any("LICENSE" in target for target in copied.files.values()), name
    manifest = json.loads((installed / "vendor" / "manifest.json").read_text(encoding="utf-8"))
    assert {row["name"] for row in manifest["served"]} == set(PACKAGES)
    assert len(manifest["installed"]) == len(LOCK["packages"]) - 1
    assert all(row["licence"] and row["version"] for row in manifest["served"])


def test_a_second_run_does_nothing_until_something_changes(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_npm() -> list[str]:
        raise AssertionError("npm was asked for")

    assert not is_current(installed)
    collect(installed)
    monkeypatch.setattr(vendor, "npm_command", no_npm)
    assert vendor.prepare(installed) is False
    lock = installed / "package-lock.json"
    lock.write_text(lock.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert not is_current(installed)


def test_a_lost_file_is_noticed(installed: Path) -> None:
    collect(installed)
    (installed / "vendor" / "alphatab" / "sonivox.sf2").unlink()
    assert not is_current(installed)


def test_a_package_that_moved_its_file_is_refused_and_the_old_folder_stays(installed: Path) -> None:
    collect(installed)
    (installed / "node_modules" / "tus-js-client" / "dist" / "tus.min.js").unlink()
    with pytest.raises(VendorProblem, match=r"tus-js-client .* has no file dist/tus\.min\.js"):
        collect(installed)
    assert is_current(installed)
