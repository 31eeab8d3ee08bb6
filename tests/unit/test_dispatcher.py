"""The one process that owns time does not wait for other people's servers."""

from __future__ import annotations

import threading

from workers.dispatcher import Chore, chores, turn


def test_a_chore_that_hangs_aside_holds_nothing_up_and_is_not_started_twice() -> None:
    release, started = threading.Event(), threading.Semaphore(0)
    done: list[str] = []

    def hang() -> None:
        started.release()
        assert release.wait(30)
        done.append("slow")

    slow, quick = Chore("slow", 0.0, hang, aside=True), Chore("quick", 0.0, lambda: done.append("quick"))
    for chore in (slow, quick, slow, quick):
        turn(chore)
    assert done == ["quick", "quick"]
    assert started.acquire(timeout=30)
    assert not started.acquire(blocking=False), "one at a time"
    release.set()
    assert slow.beside is not None
    slow.beside.join(30)
    assert done == ["quick", "quick", "slow"]


def test_a_failing_chore_ends_nothing() -> None:
    def fail() -> None:
        raise ValueError("broken")

    chore = Chore("fails", 1.0, fail)
    turn(chore)
    assert chore.due > 0


def test_what_asks_a_foreign_server_is_done_aside() -> None:
    assert {chore.name for chore in chores() if chore.aside} == {"push subscriptions", "permissions taken back"}
