"""What the pages need of a new recording: waveform, thumbnails, poster, loudness, a proxy where a browser needs one.

One FFmpeg reads the file once for all of them. Where no proxy is made, only key frames are decoded for the thumbnails,
a hundredth of the work. The proxy has the source's clock: second ``t`` of the one is second ``t`` of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress, no_progress, part
from providers.video.analysis import SampleBlocks
from providers.video.filtergraph import HDR_TO_SDR
from providers.video.probe import MediaInfo, probe
from providers.video.process import run_ffmpeg, source_arguments
from providers.video.sound_edit import to_stereo
from providers.video.soundtrack import Loudness, read_loudness

PROXY_SHORT_SIDE = 720
PROXY_GOP_SECONDS = 1
THUMBNAIL_HEIGHT = 90
MAX_THUMBNAILS = 200
COLUMNS = 10
MAX_PEAKS = 60_000
PEAKS_PER_SECOND = 50
_PEAK_RATE = 16_000


@dataclass(frozen=True)
class Sheet:
    """Small pictures at equal distances of time, row by row; picture ``i`` shows second ``i * interval_seconds``."""

    path: Path
    count: int
    columns: int
    width: int
    height: int
    interval_seconds: float


@dataclass(frozen=True)
class Prepared:
    """Everything made of one recording. ``peaks`` are 0–1, ``peaks_per_second`` of them for each second of sound."""

    info: MediaInfo
    peaks: tuple[float, ...]
    peaks_per_second: float
    loudness: Loudness
    sheet: Sheet | None
    poster: Path | None
    proxy: Path | None


def prepare(path: Path, folder: Path, *, progress: Progress = no_progress) -> Prepared:
    """Measure the recording at ``path`` whole and write its helpers into ``folder``.

    Raises:
        UnsupportedMedia, OutOfSpace, EngineFailed: as their names say.
        JobCancelled: raised by ``progress``.
    """
    info = probe(path, exact=True, progress=part(progress, 0, 0.05))
    sheet = _sheet_layout(info, folder) if info.kind == "video" else None
    proxy = folder / ("proxy.mp4" if info.kind == "video" else "proxy.m4a") if info.needs_proxy else None
    peaks = _Peaks(info.audio_seconds)
    graph, outputs = _plan(info, sheet, proxy)
    (folder / "ingest.txt").write_text(graph, encoding="ascii")
    only_keys = ["-skip_frame:v", "nokey"] if info.kind == "video" and proxy is None else []
    run = run_ffmpeg(
        [*source_arguments(path, *only_keys, "-sn", "-dn"), "-/filter_complex", "ingest.txt", *outputs],
        duration_seconds=info.duration_seconds,
        progress=part(progress, 0.05, 0.97),
        stage="stage.prepare",
        sink=peaks.blocks.feed if info.has_audio else None,
        cwd=folder,
        loglevel="info",
    )
    peaks.blocks.finish()
    return Prepared(
        info,
        tuple(peaks.values),
        peaks.per_second,
        read_loudness(run.stderr) if info.has_audio else Loudness(None, None),
        sheet,
        poster(path, info, folder, progress=part(progress, 0.97, 1)) if info.kind == "video" else None,
        proxy,
    )


def poster(path: Path, info: MediaInfo, folder: Path, *, progress: Progress = no_progress) -> Path:
    """A still that stands for a video: the most typical of the frames a tenth into it."""
    width, height = _fitting(info, PROXY_SHORT_SIDE)
    tone = f"{HDR_TO_SDR}," if info.hdr else ""
    run_ffmpeg(
        [
            *source_arguments(path, "-ss", f"{info.duration_seconds / 10:.3f}", "-an", "-sn", "-dn"), "-map", "0:V:0",
            "-vf", f"thumbnail=n=24,{tone}scale={width}:{height},setsar=1", "-frames:v", "1", *_JPEG, "poster.jpg",
        ],
        cwd=folder, progress=progress, stage="stage.prepare",
    )  # fmt: skip
    return folder / "poster.jpg"


_JPEG = ("-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p", "-f", "image2", "-update", "1")


class _Peaks:
    """The loudest sample of each equal part of the sound."""

    def __init__(self, seconds: float) -> None:
        wanted = min(float(PEAKS_PER_SECOND), MAX_PEAKS / max(seconds, 1.0))
        hop = max(1, round(_PEAK_RATE / wanted))
        self._hop = hop
        self.per_second = _PEAK_RATE / hop
        self.values: list[float] = []
        self.blocks = SampleBlocks(hop, self._take)

    def _take(self, block: NDArray[np.float32]) -> None:
        highest = np.abs(block).reshape(-1, self._hop * 2).max(axis=1)
        self.values += [round(float(min(value, 1.0)), 3) for value in highest]


def _sheet_layout(info: MediaInfo, folder: Path) -> Sheet:
    interval = max(1.0, info.duration_seconds / MAX_THUMBNAILS)
    width = max(2, 2 * round(THUMBNAIL_HEIGHT * info.width / info.height / 2))
    count = max(1, int(info.duration_seconds / interval))
    return Sheet(folder / "thumbnails.jpg", count, COLUMNS, width, THUMBNAIL_HEIGHT, info.duration_seconds / count)


def _plan(info: MediaInfo, sheet: Sheet | None, proxy: Path | None) -> tuple[str, list[str]]:
    """The filter graph and the output arguments; file names are fixed and lie in the working folder."""
    chains: list[str] = []
    outputs: list[str] = []
    tone = f"{HDR_TO_SDR}," if info.hdr else ""
    if sheet is not None:
        rows = -(-sheet.count // COLUMNS)
        rate = 1 / Fraction(sheet.interval_seconds).limit_denominator(100_000)
        small = (
            f"{tone}scale={sheet.width}:{sheet.height}:flags=area,setsar=1,"
            f"fps=fps={rate}:start_time=0:eof_action=pass,tpad=stop_mode=clone:stop=-1,trim=end_frame={sheet.count},"
            f"tile={COLUMNS}x{rows}[sheet]"
        )
        if proxy is None:
            chains.append(f"[0:V:0]{small}")
        else:
            width, height = _fitting(info, PROXY_SHORT_SIDE)
            chains.append("[0:V:0]split[v0][v1]")
            chains.append(f"[v0]{small}")
            chains.append(
                f"[v1]fps=fps={info.fps}:start_time=0:round=near,{tone}scale={width}:{height},setsar=1,"
                "format=yuv420p[picture]"
            )
    if info.has_audio:
        split = "asplit[a0][a1];[a0]" if proxy is not None else ""
        chains.append(
            f"[0:a:0]aresample=48000:async=1:first_pts=0,{to_stereo(info.channels)},{split}"
            f"ebur128=peak=true:framelog=quiet,aresample={_PEAK_RATE}[sound]"
        )
        outputs += ["-map", "[sound]", "-f", "f32le", "pipe:1"]
    if sheet is not None:
        outputs += ["-map", "[sheet]", "-frames:v", "1", *_JPEG, sheet.path.name]
    if proxy is not None:
        if sheet is not None:
            outputs += [
                "-map", "[picture]", "-c:v", "libx264", "-preset", "veryfast", "-crf", "24",
                "-g", str(round(PROXY_GOP_SECONDS * info.fps)), "-r", str(info.fps), "-fps_mode", "cfr",
            ]  # fmt: skip
        if info.has_audio:
            outputs += ["-map", "[a1]", "-c:a", "aac", "-b:a", "128k"]
        outputs += ["-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart", proxy.name]
    return ";\n".join(chains) + "\n", outputs


def _fitting(info: MediaInfo, short_side: int) -> tuple[int, int]:
    scale = min(1.0, short_side / min(info.width, info.height))
    return max(2, 2 * round(info.width * scale / 2)), max(2, 2 * round(info.height * scale / 2))
