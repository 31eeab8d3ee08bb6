"""The licence check has to fail on what it is there for, and pass on what is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tools import licences
from core.tools.licence_tables import FORBIDDEN_IMPORTS, PERMISSIVE, PROGRAM_FILES, STRONG, WEAK
from core.tools.licences import Row, import_breaches, imports_of, package_breaches, spdx, verdict

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", "free"),
        ("MIT AND PSF-2.0", "free"),
        ("LGPL-3.0-only", "library"),
        ("MPL-2.0 AND MIT", "library"),
        ("GPL-3.0-or-later", "program only"),
        ("MIT OR GPL-3.0-only", "free"),
        ("MIT AND GPL-3.0-only", "program only"),
        ("MIT AND (GPL-2.0-only OR Apache-2.0)", "free"),
        ("(MIT OR Apache-2.0) AND AGPL-3.0-only", "program only"),
        ("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", "free"),
        ("Proprietary", "unknown"),
        ("MIT AND Proprietary", "unknown"),
        ("(MIT", "unknown"),
        ("MIT Apache-2.0", "unknown"),
        ("", "unknown"),
    ],
)
def test_verdict_of_an_expression(expression: str, expected: str) -> None:
    assert verdict(expression) == expected


@given(st.sampled_from(sorted(STRONG)), st.lists(st.sampled_from(sorted(PERMISSIVE | WEAK)), max_size=4))
def test_copyleft_among_the_parts_is_never_lost(strong: str, others: list[str]) -> None:
    for place in range(len(others) + 1):
        parts = [*others[:place], strong, *others[place:]]
        assert verdict(" AND ".join(parts)) == "program only"


@given(st.text(max_size=60))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert verdict(text) in {"free", "library", "program only", "unknown"}


def test_licence_is_read_from_whatever_the_package_says() -> None:
    assert spdx("MIT", [], None) == "MIT"
    assert spdx(None, ["License :: OSI Approved :: MIT License"], None) == "MIT"
    assert (
        spdx(None, ["License :: OSI Approved :: BSD License"], "Copyright (c) somebody\nAll rights reserved " * 9)
        == "BSD"
    )
    assert spdx(None, [], "Apache 2.0") == "Apache-2.0"
    assert spdx(None, ["Programming Language :: Python"], None) == "unknown"
    assert spdx(None, [], "see the file") == "unknown"


def row(name: str, licence: str, role: str = "runtime") -> Row:
    return Row("python", name, "1.0", licence, role)


def test_copyleft_where_the_studio_runs_is_a_breach_unless_it_is_a_named_program() -> None:
    assert list(package_breaches([row("piper-tts", "GPL-3.0-or-later"), row("psycopg", "LGPL-3.0-only")])) == []
    assert list(package_breaches([row("linter", "GPL-3.0-only", "development")])) == []
    assert len(list(package_breaches([row("matchering", "GPL-3.0-only")]))) == 1
    assert len(list(package_breaches([row("somebody-installed", "AGPL-3.0-only", "unlisted")]))) == 1
    assert len(list(package_breaches([row("mystery", "unknown", "development")]))) == 1


def test_imports_are_found_however_they_are_written() -> None:
    source = """
import os.path, piper
def late():
    from mutagen.id3 import ID3
    import importlib
    importlib.import_module("av.container")
    __import__("essentia")
from . import neighbour
"""
    found = {module for _, module in imports_of(source)}
    assert {"os", "piper", "mutagen", "av", "essentia"} <= found
    assert "neighbour" not in found


def test_a_forbidden_import_is_reported_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "tags.py").write_text("import json\nimport mutagen\n", encoding="utf-8")
    assert list(import_breaches(tmp_path)) == [f"core/tags.py:2 imports mutagen. {FORBIDDEN_IMPORTS['mutagen']}."]


def test_a_program_that_may_load_av_loads_nothing_of_ours(tmp_path: Path) -> None:
    program = tmp_path / next(name for name, module in PROGRAM_FILES.items() if module == "av")
    program.parent.mkdir(parents=True)
    program.write_text("import av\n", encoding="utf-8")
    assert list(import_breaches(tmp_path)) == []
    program.write_text("import av\nimport core.errors\n", encoding="utf-8")
    assert len(list(import_breaches(tmp_path))) == 1


def test_our_own_files_keep_the_rules() -> None:
    assert list(import_breaches(ROOT)) == []


def test_what_is_installed_keeps_the_rules() -> None:
    rows = licences.python_rows(ROOT)
    assert {"streamlit", "piper-tts", "pytest"} <= {one.name for one in rows}
    assert next(one.role for one in rows if one.name == "streamlit") == "runtime"
    assert next(one.role for one in rows if one.name == "pytest") == "development"
    assert list(package_breaches([*rows, *licences.npm_rows(ROOT)])) == []
    assert list(licences.library_breaches()) == []
    assert licences.material_rows(ROOT)[1] == []


def test_the_copyleft_codecs_are_not_in_our_process() -> None:
    """faster-whisper asks for PyAV; what our speech room imports must not have mapped its libraries."""
    program = (
        "from providers.speech.vad import faster_whisper\n"
        "faster_whisper()\n"
        "maps = open('/proc/self/maps').read()\n"
        "print([name for name in ('libx264', 'libx265', 'libavcodec') if name in maps], 'libctranslate2' in maps)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"
