"""Processes and process groups: when one started (so that a reused number is not mistaken), and ending a group."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1


def started_at(pid: int) -> float:
    """Start of a process in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)); 0.0 where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    return float(stat.rpartition(")")[2].split()[19])


def prctl(option: int, value: int) -> None:
    """prctl(2); does nothing where there is none (other systems than Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value)


def die_with_parent(number: int = signal.SIGKILL, parent: int | None = None) -> None:
    """Ask the kernel to signal this process when its parent ends; ``parent`` says who that was before the fork."""
    prctl(PR_SET_PDEATHSIG, number)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), number)  # it ended before it could be asked for


def end_with_parent(number: int) -> Callable[[], None]:
    """A ``preexec_fn`` for a child that gets ``number`` when this process ends."""
    parent = os.getpid()
    return lambda: die_with_parent(number, parent)


def group_exists(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_group(group: int, leader_started: float, *, wait_seconds: float = 2.0) -> bool:
    """Kill a process group and wait until it is gone; True when nothing of it is left.

    ``leader_started`` guards against a number that was given to another process since: a living leader that started
    at another time is left alone.
    """
    now_started = started_at(group)
    if now_started and leader_started and now_started != leader_started:
        return True
    deadline = time.monotonic() + wait_seconds
    while group_exists(group):
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            break
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
