"""Recipes: the schedule rule as a property, words by template, what a recipe refuses, what a run has come to (P2.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.models.publishing import PUBLICATION_STATES
from core.publishing.best_time import BestTime
from core.publishing.payloads import PublicationOptions, TikTokOptions
from core.publishing.pipelines.document import outcome, stage_of, stops
from core.publishing.pipelines.recipe import MakeEdit, MakeShorts, Recipe, RecipeTarget, Schedule, Trigger
from core.publishing.pipelines.templates import FIELDS, fill, fill_tags, unknown_fields
from core.publishing.pipelines.times import BEST_UNKNOWN, LEAD, next_free
from core.publishing.preflight import Issue
from core.publishing.schedule import due_time, zone_of

ZONES = ("Asia/Bangkok", "Europe/Berlin", "America/Los_Angeles", "UTC", "Pacific/Apia")
NOW = datetime(2026, 3, 20, 5, tzinfo=UTC)
clocks = st.builds(lambda hour, minute: f"{hour:02d}:{minute:02d}", st.integers(0, 23), st.integers(0, 59))
schedules = st.builds(
    Schedule,
    kind=st.sampled_from(["at_once", "best_time", "times"]),
    times=st.lists(clocks, min_size=1, max_size=4).map(tuple),
    weekdays=st.lists(st.integers(0, 6), max_size=3, unique=True).map(tuple),
    gap_minutes=st.integers(15, 3000),
)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))
bests = st.none() | st.builds(
    BestTime,
    st.just(40),
    st.just(10),
    st.none() | st.integers(0, 6),
    st.none() | st.sampled_from([0, 4, 8, 12, 16, 20]),
)


@given(schedules, st.sampled_from(ZONES), moments, st.lists(st.integers(-5000, 20_000), max_size=12), bests)
def test_a_time_is_free_to_come_and_allowed_by_the_rule(
    schedule: Schedule, zone: str, now: datetime, offsets: list[int], best: BestTime | None
) -> None:
    taken = [now + timedelta(minutes=offset) for offset in offsets]
    slot = next_free(schedule, zone, now, taken, best)
    due = slot.due.due_at
    assert all(abs(due - other) >= timedelta(minutes=schedule.gap_minutes) for other in taken)
    assert due >= now
    known = schedule.kind == "best_time" and best is not None and best.known
    assert (slot.note == BEST_UNKNOWN) == (schedule.kind == "best_time" and not known)
    if schedule.kind == "at_once":
        return
    assert due >= now + LEAD
    local = due.astimezone(zone_of(zone))
    if known and best is not None:
        assert best.weekday in (None, local.weekday())
    else:
        day = datetime.fromisoformat(slot.due.local_time).date()
        meant = {due_time(f"{day}T{clock}", zone).due_at for clock in schedule.times}
        before = {due_time(f"{day - timedelta(days=1)}T{clock}", zone).due_at for clock in schedule.times}
        assert due in meant | before, "one of the rule's own times, as the zone's clock changes read it"
        if not schedule.weekdays:
            assert due == _first(schedule, zone, now, taken), "and the earliest that is free"


def _first(schedule: Schedule, zone: str, now: datetime, taken: list[datetime]) -> datetime:
    """The same by counting: all times of the next sixty days, in order."""
    day = now.astimezone(zone_of(zone)).date()
    all_times = sorted(
        due_time(f"{day + timedelta(days=ahead)}T{clock}", zone).due_at
        for ahead in range(60)
        for clock in schedule.times
    )
    gap = timedelta(minutes=schedule.gap_minutes)
    return next(
        moment for moment in all_times if moment >= now + LEAD and all(abs(moment - other) >= gap for other in taken)
    )


@given(schedules, st.sampled_from(ZONES), moments, bests)
def test_of_many_posts_no_two_share_a_time(schedule: Schedule, zone: str, now: datetime, best: BestTime | None) -> None:
    taken: list[datetime] = []
    for _ in range(8):
        due = next_free(schedule, zone, now, taken, best).due.due_at
        if schedule.kind != "at_once":
            assert not taken or due > taken[-1]
        taken.append(due)
    gaps = [later - earlier for earlier, later in pairwise(sorted(taken))]
    assert min(gaps) >= timedelta(minutes=schedule.gap_minutes)


def test_times_of_the_users_zone() -> None:
    rule = Schedule(kind="times", times=("18:30", "09:00"), weekdays=(0, 4))
    found: list[datetime] = []
    for _ in range(4):
        found.append(next_free(rule, "Asia/Bangkok", NOW, found).due.due_at)
    there = [moment.astimezone(zone_of("Asia/Bangkok")).strftime("%a %d %H:%M") for moment in found]
    assert there == ["Fri 20 18:30", "Mon 23 09:00", "Mon 23 18:30", "Fri 27 09:00"]
    now_rule = Schedule(kind="at_once", gap_minutes=30)
    assert next_free(now_rule, "UTC", NOW, []).due.due_at == NOW
    assert next_free(now_rule, "UTC", NOW, [NOW + timedelta(minutes=10)]).due.due_at == NOW + timedelta(minutes=40)


@given(st.text(), st.text())
def test_what_is_filled_in_is_never_parsed(title: str, channel: str) -> None:
    assert fill("[{title}]{title}", {"title": title, "channel": channel}).count("{channel}") == (
        2 * title.count("{channel}")
    )


def test_words_by_template() -> None:
    values = {"title": "Soup {credits}", "series": "Kitchen", "credits": "", "number": "2", "count": "5"}
    assert fill("{title} · {series} {number}/{count}", values) == "Soup {credits} · Kitchen 2/5"
    assert fill("{description}\n\n{credits}\n\n\n{title}\n\n{credits}", values) == "Soup {credits}"
    assert fill("{} {0} { title } {title!r}", {"title": "x"}) == "{} {0} { title } {title!r}"
    assert fill_tags(["{tags}", "{series}", "Kitchen", " "], values, ["soup", "food"]) == ["soup", "food", "Kitchen"]
    assert unknown_fields("{title} {Name}", "{__class__}") == ["Name", "__class__"]
    assert not unknown_fields(*(f"{{{name}}}" for name in FIELDS))


def _recipe(**more: Any) -> dict[str, Any]:
    return {"targets": [{"platform_account_id": str(uuid4())}], **more}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (_recipe(targets=[]), "targets"),
        (_recipe(targets=[{"platform_account_id": str(UUID(int=1)), "title": "{titel}"}]), "there is no field {titel}"),
        (_recipe(targets=[{"platform_account_id": str(UUID(int=1))}] * 2), "each account is named once"),
        (
            _recipe(
                targets=[{"platform_account_id": str(UUID(int=1)), "options": {"tiktok": {"consent": True}}}],
            ),
            "consent is given for each post",
        ),
        (_recipe(make={"kind": "shorts", "min_seconds": 50, "max_seconds": 20}), "max_seconds"),
        (_recipe(make={"kind": "edit", "operations": [{"type": "cut_by_beat"}]}), "cut_by_beat needs"),
        (_recipe(make={"kind": "edit", "operations": [{"type": "nonsense"}]}), "nonsense"),
        (
            _recipe(
                make={"kind": "shorts"},
                targets=[{"platform_account_id": str(UUID(int=1)), "aspect_ratio": "16:9"}],
            ),
            "nothing is made in the shape 16:9",
        ),
        (_recipe(schedule={"kind": "times", "times": ["25:00"]}), "times"),
        (_recipe(schedule={"timezone": "Atlantis"}), "time zone"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Recipe.model_validate(wrong)


def test_a_recipe_orders_what_the_jobs_know() -> None:
    source = uuid4()
    shorts = MakeShorts.model_validate({"kind": "shorts", "count": 3, "music": "lofi", "language": "th"})
    order = shorts.order(source)
    assert (order.source_video_id, order.count, order.language) == (source, 3, "th")
    assert order.music is not None
    assert order.music.audio_preset == "lofi"
    edit = MakeEdit.model_validate(
        {"kind": "edit", "operations": [{"type": "auto_cut_silence"}], "target_outputs": [{"platform": "tiktok"}]}
    )
    assert edit.order(source).operations[0].type == "auto_cut_silence"
    assert edit.shapes == ("9:16",)
    target = RecipeTarget(platform_account_id=source, options=PublicationOptions(tiktok=TikTokOptions()))
    assert Recipe(targets=(target,)).model_dump(mode="json")["make"]["kind"] == "edit"


def test_a_trigger_takes_recordings_by_name_and_length() -> None:
    trigger = Trigger(kind="recording", name_contains="TALK", min_seconds=60)
    assert trigger.takes("My talk.mp4", 61.0)
    assert not trigger.takes("My walk.mp4", 61.0)
    assert not trigger.takes("My talk.mp4", None)
    assert not Trigger().takes("My talk.mp4", 61.0)


@given(st.lists(st.sampled_from(PUBLICATION_STATES), max_size=6))
def test_what_a_run_has_come_to(states: list[str]) -> None:
    came_to = outcome(states)
    if came_to == "succeeded":
        assert set(states) <= {"published", "published_with_warnings", "cancelled"}
        assert set(states) != {"cancelled"}
    assert outcome([*states, "scheduled"]) == "running"
    assert outcome(["cancelled"]) == outcome([]) == "cancelled"
    assert outcome(["published", "failed"]) == "failed"


def test_stages_and_what_stops_a_post() -> None:
    assert stage_of("running", "make", "queued") == "queued"
    assert stage_of("running", "make", "running") == "making"
    assert stage_of("running", "post", "succeeded") == "scheduled"
    assert stage_of("failed", "make", "running") == "making"
    assert stage_of("failed", "make", "failed") == "failed"
    issues = [Issue("warning", code, "") for code in ("same_hour", "licence_non_commercial", "duplicate_content")]
    assert [issue.code for issue in stops(issues)] == ["licence_non_commercial", "duplicate_content"]
