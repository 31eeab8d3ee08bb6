"""The child runner: what it ends, what it limits, how failures are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.errors import EngineFailed, JobCancelled, OutOfSpace, TooLarge, UnsupportedMedia
from providers.video.process import (
    ChildFailed,
    Limits,
    child_environment,
    media_error,
    output_argument,
    run_child,
    run_ffmpeg,
    source_arguments,
)
from tests.engine.coded_media import coded_video

ENDLESS = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30", "-f", "null", "-"]


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "ffmpeg" in child.name()]


def test_progress_rises_to_one(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 300)
    seen: list[tuple[float, str | None]] = []
    run = run_ffmpeg(
        [*source_arguments(source), "-c:v", "libx264", "-preset", "medium", output_argument(tmp_path / "out.mp4")],
        duration_seconds=10, progress=lambda fraction, stage=None: seen.append((fraction, stage)), stage="stage.x",
    )  # fmt: skip
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.9
    assert {stage for _, stage in seen} == {"stage.x"}
    assert run.cpu_seconds > 0.05
    assert run.peak_rss_bytes > 10_000_000


def test_a_cancelled_run_leaves_no_child_within_two_seconds() -> None:
    asked: list[float] = []

    def progress(fraction: float, stage: str | None = None) -> None:
        if children():
            asked.append(time.monotonic())
            raise JobCancelled

    with pytest.raises(JobCancelled):
        run_ffmpeg(ENDLESS, progress=progress)
    assert time.monotonic() - asked[0] < 2
    assert children() == []


def test_a_failing_sink_ends_the_child() -> None:
    def sink(data: bytes) -> None:
        raise ValueError("full")

    with pytest.raises(ValueError, match="full"):
        run_ffmpeg([*ENDLESS[:4], "-f", "rawvideo", "pipe:1"], sink=sink)
    assert children() == []


def test_the_child_shares_the_group_and_dies_with_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "from providers.video.process import run_ffmpeg\n"
        f"run_ffmpeg({ENDLESS!r}, progress=lambda f, s=None: print('tick', flush=True))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    parent.stdout.readline()
    parent.stdout.readline()
    (child,) = psutil.Process(parent.pid).children()
    assert os.getpgid(child.pid) == os.getpgid(parent.pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    gone, alive = psutil.wait_procs([child], timeout=2)
    assert not alive
    assert gone


def test_limits_of_time_memory_and_size(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="longer than allowed"):
        run_ffmpeg(ENDLESS, limits=Limits(wall_seconds=0.7))
    with pytest.raises(EngineFailed, match="longer than allowed"):
        run_ffmpeg(ENDLESS, limits=Limits(cpu_seconds=1))
    with pytest.raises(EngineFailed, match="memory"):
        run_ffmpeg(
            ["-f", "lavfi", "-i", "testsrc2=s=3840x2160:r=30:d=4", "-vf", "reverse", "-f", "null", "-"],
            limits=Limits(memory_bytes=600 * 1024**2),
        )
    with pytest.raises(TooLarge):
        run_ffmpeg(
            [*ENDLESS[:4], "-f", "rawvideo", output_argument(tmp_path / "big.raw")],
            limits=Limits(file_bytes=3_000_000),
        )
    assert (tmp_path / "big.raw").stat().st_size <= 3_000_000
    assert children() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_as_such() -> None:
    with pytest.raises(OutOfSpace):
        run_ffmpeg([*ENDLESS[:4], "-t", "2", "-f", "rawvideo", "file:/dev/full"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
        ("concat.mp4", "ffconcat version 1.0\nfile '/etc/passwd'\n"),
        ("stream.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
        ("drawing.mp4", '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>'),
    ],
)
def test_what_names_other_files_is_not_opened(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UnsupportedMedia):
        run_ffmpeg([*source_arguments(tmp_path / name), "-f", "null", "-"])


def test_a_playlist_cannot_read_a_neighbour_even_under_its_own_name(tmp_path: Path) -> None:
    coded_video(tmp_path / "secret.ts", 60)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:2,\nfile://{tmp_path}/secret.ts\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(playlist)
    with pytest.raises(UnsupportedMedia):
        run_ffmpeg([*source_arguments(tmp_path / "list.m3u8"), "-f", "null", "-"])


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return coded_video(tmp_path_factory.mktemp("names") / "source.mp4", 30)


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=40)


@given(NAMES, NAMES)
@example("-i concat:a|b %03d 'q' [x];,=\\ $(id) สวัสดี", "-y pipe:1 %d ")
@example("http:127.0.0.1", "\n-f null\n")
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_names_are_only_names(short: Path, source: str, result: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        odd, out = Path(folder) / f"{source}.mp4", Path(folder) / f"{result}-out.mp4"
        os.link(short, odd)
        run_ffmpeg([*source_arguments(odd), "-c", "copy", output_argument(out)])
        assert out.stat().st_size > 1000
        assert sorted(path.name for path in Path(folder).iterdir()) == sorted([odd.name, out.name])


def test_secrets_stay_with_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    heard: list[bytes] = []
    run_child(["/usr/bin/env"], sink=heard.append)
    assert b"PATH=" in b"".join(heard)
    assert b"secret" not in b"".join(heard)
    assert "DATABASE_URL" not in child_environment()


def test_several_threads_may_run_children() -> None:
    done: list[float] = []

    def work() -> None:
        run_ffmpeg([*ENDLESS[:4], "-t", "1", "-f", "null", "-"])
        done.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 6


def test_an_engine_error_carries_its_last_line() -> None:
    error = media_error(ChildFailed(1, "first\n[x] Something odd happened\n"))
    assert isinstance(error, EngineFailed)
    assert "Something odd" in error.detail
    with pytest.raises(EngineFailed):
        run_ffmpeg(["-f", "lavfi", "-i", "color=d=1", "-vf", "nosuchfilter", "-f", "null", "-"])
