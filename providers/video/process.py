"""The one way a child process for media is started, watched and ended.

FFmpeg runs as a program (a GPL build is never loaded into our process) with an argument list, never through a shell.
The child stays in the process group of the job, so that ending the job's group ends it; the kernel ends it when the
parent dies (``PR_SET_PDEATHSIG``), and ``finally`` kills and reaps it however the call ends: an exception of the
progress listener (:class:`core.errors.JobCancelled`), a job time-out, a failing sink.

Inputs are opened with a whitelist of protocols (``file``, ``pipe``) and of container formats. The second is what
refuses playlists, concat scripts, SDP and SVG under the name of a video: FFmpeg recognises those by content and would
open the files they name. Resources are limited by the kernel: address space, CPU seconds and size of a written file.
The kernel's limit is preferred to FFmpeg's ``-fs``, which truncates silently and reports success.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import math
import os
import resource
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from core.errors import EngineFailed, NotConfigured, OutOfSpace, StudioError, TooLarge, UnsupportedMedia
from core.progress import Progress, no_progress
from core.settings import get_settings

GIB = 1024**3

# Containers that hold their own media. Nothing that names other files (hls, dash, concat, sdp, imf), nothing that is
# text (svg, subtitles, ffmetadata), no single pictures.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,"
    "wav,w64,aiff,caf,mp3,flac,aac,ac3,eac3,amr,au,wv,ape,tta"
)
SOURCE_WHITELIST = ("-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS)

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_STDERR_BYTES = 256 * 1024
_PIPE_BYTES = 1024 * 1024
_TICK_SECONDS = 0.25
_NICENESS = 5


@dataclass(frozen=True)
class Limits:
    """What one child may use: wall and CPU time (seconds), address space and size of each written file (bytes)."""

    wall_seconds: float = 6 * 3600.0
    cpu_seconds: int = 24 * 3600
    memory_bytes: int = 8 * GIB
    file_bytes: int = 64 * GIB


@dataclass(frozen=True)
class ChildRun:
    """How a child ended well: the end of its stderr, CPU seconds (user and system), peak memory in bytes."""

    stderr: str
    cpu_seconds: float
    peak_rss_bytes: int


class SideChannel:
    """A pipe beside stdout: the child inherits the write end, ``listener`` gets what arrives."""

    def __init__(self, listener: Callable[[bytes], None]) -> None:
        read_end, write_end = os.pipe()
        self.read = os.fdopen(read_end, "rb", buffering=0)
        self.write = os.fdopen(write_end, "wb", buffering=0)
        self.listener = listener


class Feed(threading.Thread):
    """Writes pieces to a child's stdin while it works; what goes wrong in making them is raised by :meth:`end`."""

    def __init__(self, pieces: Iterable[bytes], pipe: IO[bytes]) -> None:
        super().__init__(name="feed", daemon=True)
        self._pieces, self._pipe = pieces, pipe
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            with self._pipe:
                for piece in self._pieces:
                    self._pipe.write(piece)
        except (BrokenPipeError, ValueError):
            return  # the child has ended, and says itself why
        except BaseException as failure:  # noqa: BLE001 - carried to the thread that waits for the child
            self._failure = failure

    def end(self) -> None:
        """Wait until nothing is written any more; the child must have ended."""
        self.join()
        if self._failure is not None:
            raise self._failure


class ChildFailed(Exception):
    """The child ended with an error, or used up its time; ``returncode`` is negative for a signal."""

    def __init__(self, returncode: int, stderr: str, *, timed_out: bool = False) -> None:
        super().__init__(f"exit {returncode}: {stderr[-2000:]}")
        self.returncode = returncode
        self.stderr = stderr
        self.timed_out = timed_out


@lru_cache
def _bundled_ffmpeg() -> str:
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def ffmpeg_binary() -> str:
    """Path of the FFmpeg to run: the setting FFMPEG_BINARY, else the one in imageio-ffmpeg.

    Raises:
        NotConfigured: the configured file cannot be run.
    """
    configured = get_settings().ffmpeg_binary
    if not configured:
        return _bundled_ffmpeg()
    if not os.access(configured, os.X_OK):
        raise NotConfigured("FFMPEG_BINARY names no program that can be run.", configured, setting="FFMPEG_BINARY")
    return configured


def source_arguments(path: Path, *options: str) -> list[str]:
    """``-i`` for one media file of ours, with the whitelists. The ``file:`` prefix keeps any name a file name."""
    return [*SOURCE_WHITELIST, *options, "-i", f"file:{path.absolute()}"]


def output_argument(path: Path) -> str:
    """The name of a file to write, safe for any characters in it."""
    return f"file:{path.absolute()}"


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    duration_seconds: float = 0.0,
    progress: Progress = no_progress,
    stage: str | None = None,
    sink: Callable[[bytes], None] | None = None,
    feed: Iterable[bytes] | None = None,
    cwd: Path | None = None,
    limits: Limits | None = None,
    loglevel: str = "warning",
) -> ChildRun:
    """Run FFmpeg with ``arguments`` (inputs through :func:`source_arguments`) until it ends.

    Args:
        duration_seconds: length of the output, by which its position becomes a fraction for ``progress``.
        sink: gets what FFmpeg writes to ``pipe:1``, in pieces of any size.
        feed: what FFmpeg reads from ``pipe:0``, made in a thread of its own while it works.
        cwd: folder in which relative names (filter scripts, captions, fonts) are found.
        loglevel: FFmpeg's; ``info`` where a measurement is read from stderr.

    Raises:
        UnsupportedMedia: the input is damaged or of a kind FFmpeg does not read.
        OutOfSpace, TooLarge, EngineFailed: as their names say.
        JobCancelled: raised by ``progress``; the child has ended when it arrives.
    """
    position = _Position(duration_seconds)
    channel = SideChannel(position.feed)
    command = [
        ffmpeg_binary(), "-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", loglevel,
        "-progress", f"pipe:{channel.write.fileno()}", "-stats_period", "0.25", *arguments,
    ]  # fmt: skip
    try:
        run = run_child(
            command,
            sink=sink,
            feed=feed,
            side_channel=channel,
            tick=lambda: progress(position.fraction, stage),
            cwd=cwd,
            limits=limits or Limits(),
        )
    except ChildFailed as failure:
        raise media_error(failure) from failure
    # Where FFmpeg ended is said after the last tick, or before the first one of a short run.
    progress(position.fraction, stage)
    return run


def run_child(
    command: Sequence[str],
    *,
    sink: Callable[[bytes], None] | None = None,
    feed: Iterable[bytes] | None = None,
    side_channel: SideChannel | None = None,
    tick: Callable[[], None] = lambda: None,
    cwd: Path | None = None,
    limits: Limits = Limits(),
    environment: Mapping[str, str] | None = None,
) -> ChildRun:
    """Run one limited child to its end, feeding ``sink`` with its stdout and calling ``tick`` four times a second.

    ``feed`` is written to its stdin; an exception raised in making it ends in this call, after the child.

    The child inherits the write end of ``side_channel``; the channel is closed when this returns.

    Raises:
        ChildFailed: a non-zero exit, a signal or the wall time limit.
    """
    stderr = _Tail(_STDERR_BYTES)
    deadline = time.monotonic() + limits.wall_seconds
    with contextlib.ExitStack() as stack:
        if side_channel is not None:
            stack.enter_context(side_channel.read)
            stack.enter_context(side_channel.write)
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE if sink else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=dict(environment) if environment is not None else child_environment(),
            pass_fds=(side_channel.write.fileno(),) if side_channel else (),
            preexec_fn=_prepare_child(limits, os.getpid()),
        )
        writer = None
        if feed is not None:
            assert process.stdin is not None
            writer = Feed(feed, process.stdin)
            stack.callback(writer.join)
        stack.callback(_end, process)
        if writer is not None:
            writer.start()
        selector = stack.enter_context(selectors.DefaultSelector())
        try:
            assert process.stderr is not None
            _watch(selector, process.stderr.fileno(), stderr.add)
            if process.stdout is not None and sink is not None:
                _watch(selector, process.stdout.fileno(), sink)
            if side_channel is not None:
                side_channel.write.close()
                _watch(selector, side_channel.read.fileno(), side_channel.listener)
            _drain(selector, tick, deadline)
            usage = _wait(process, tick, deadline)
        except _Deadline:
            raise ChildFailed(-signal.SIGKILL, stderr.text(), timed_out=True) from None
    if writer is not None:
        writer.end()
    cpu_seconds = usage.ru_utime + usage.ru_stime
    if process.returncode != 0:
        # FFmpeg catches the signal of the CPU limit and ends as if it had been asked to.
        raise ChildFailed(process.returncode, stderr.text(), timed_out=cpu_seconds >= limits.cpu_seconds)
    return ChildRun(stderr.text(), cpu_seconds, usage.ru_maxrss * 1024)


def child_environment() -> dict[str, str]:
    """What a media child needs of our environment; keys and database addresses stay here."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "AV_LOG_FORCE_NOCOLOR": "1"}


def media_error(failure: ChildFailed) -> StudioError:
    """The error of the studio's family that a failed child means."""
    said = failure.stderr
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    if failure.timed_out:
        return EngineFailed("The work on this file took longer than allowed.", "Try a shorter recording.")
    if failure.returncode == -signal.SIGXFSZ or os.strerror(errno.EFBIG) in said:
        return TooLarge("The result would be larger than the studio allows.", "Choose a shorter part or a lower size.")
    if os.strerror(errno.ENOSPC) in said or os.strerror(errno.EDQUOT) in said:
        return OutOfSpace("The disk is full.", "Free some space and try again.", retryable=True)
    if os.strerror(errno.ENOMEM) in said or failure.returncode == -signal.SIGKILL:
        return EngineFailed("The machine ran out of memory for this file.", last, retryable=True)
    if any(sign in said for sign in _DAMAGED):
        return UnsupportedMedia("This file is damaged, or not a recording the studio can read.", last)
    return EngineFailed("The video engine stopped with an error.", last)


_DAMAGED = (
    "Invalid data found when processing input",
    "moov atom not found",
    "matches no streams",
    "Decoder not found",
    "Error opening input",
    "could not find codec parameters",
)


class _Deadline(Exception):
    """The wall time limit is over."""


class _Tail:
    """The last bytes of a stream."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > 2 * self._size:
            del self._data[: -self._size]

    def text(self) -> str:
        return self._data[-self._size :].decode("utf-8", "replace")


class _Position:
    """FFmpeg's ``-progress`` lines as a fraction of ``duration`` seconds."""

    def __init__(self, duration: float) -> None:
        self._duration = duration
        self._rest = b""
        self.fraction = 0.0

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            key, _, value = line.partition(b"=")
            if key == b"out_time_us" and self._duration > 0 and value.strip().lstrip(b"-").isdigit():
                done = int(value) / 1e6 / self._duration
                self.fraction = max(self.fraction, min(done, 1.0)) if math.isfinite(done) else self.fraction


def _prepare_child(limits: Limits, parent: int) -> Callable[[], None]:
    # Runs between fork and exec: only system calls, nothing that takes a lock another thread may hold.
    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(127)
        os.nice(_NICENESS)
        for what, value in (
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_CPU, limits.cpu_seconds),
            (resource.RLIMIT_FSIZE, limits.file_bytes),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(what)[1]
            bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(what, (bound, hard))

    return prepare


def _watch(selector: selectors.BaseSelector, descriptor: int, listener: Callable[[bytes], None]) -> None:
    os.set_blocking(descriptor, False)
    # Fewer switches for raw frames; a refused size only means smaller pieces.
    with contextlib.suppress(PermissionError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    selector.register(descriptor, selectors.EVENT_READ, listener)


def _drain(selector: selectors.BaseSelector, tick: Callable[[], None], deadline: float) -> None:
    next_tick = time.monotonic()
    while selector.get_map():
        for key, _ in selector.select(_TICK_SECONDS):
            try:
                data = os.read(key.fd, _PIPE_BYTES)
            except BlockingIOError:
                continue
            if data:
                key.data(data)
            else:
                selector.unregister(key.fd)
        now = time.monotonic()
        if now > deadline:
            raise _Deadline
        if now >= next_tick:
            next_tick = now + _TICK_SECONDS
            tick()


def _wait(process: subprocess.Popen[bytes], tick: Callable[[], None], deadline: float) -> resource.struct_rusage:
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.monotonic() > deadline:
            raise _Deadline
        tick()
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        process.kill()
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
