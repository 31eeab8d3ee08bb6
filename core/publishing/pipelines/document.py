"""What a run remembers: the recipe it started with, the videos it made, the posts it suggests and plans. Pure.

A run's row says where it stands; everything else is this document in ``pipeline_runs.result``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from core.publishing import states
from core.publishing.payloads import Privacy, PublicationOptions
from core.publishing.pipelines.recipe import Recipe
from core.publishing.preflight import Issue

Stage = Literal["queued", "making", "waiting_for_approval", "scheduled", "done", "failed", "cancelled"]
PASSES = frozenset({"same_hour", "thumbnail_unused", "captions_unused", "tiktok_unasked"})
"""Warnings that stop nothing. Any other (a licence, a second time on the same account) is for a person to weigh."""


class Post(BaseModel):
    """One content on one account. ``due_at`` is a suggestion until it is planned; ``chosen_time`` says that a person
    set it, so that the rule does not move it any more. ``issues`` are what stopped it from being planned unseen."""

    model_config = ConfigDict(extra="forbid")

    platform_account_id: UUID
    platform: str
    asset_id: UUID
    state: Literal["waiting", "planned", "discarded"] = "waiting"
    title: str
    description: str
    tags: list[str]
    privacy: Privacy | None
    options: PublicationOptions
    due_at: datetime
    timezone: str
    time_note: str = ""
    chosen_time: bool = False
    needs_person: bool = False
    issues: list[dict[str, str]] = Field(default_factory=list)
    publication_id: UUID | None = None


class Item(BaseModel):
    """One content that the run made: its draft episode and the posts of it."""

    model_config = ConfigDict(extra="forbid")

    episode_id: UUID
    asset_id: UUID
    posts: list[Post]

    @property
    def waiting(self) -> list[Post]:
        return [post for post in self.posts if post.state == "waiting"]


class RunDocument(BaseModel):
    """``pipeline_runs.result``."""

    model_config = ConfigDict(extra="forbid")

    recipe: Recipe
    needs_approval: bool
    channel_id: UUID
    series_id: UUID | None
    items: list[Item] = Field(default_factory=list)

    @property
    def posts(self) -> list[Post]:
        return [post for item in self.items for post in item.posts]

    @property
    def publication_ids(self) -> list[UUID]:
        return [post.publication_id for post in self.posts if post.publication_id is not None]

    def stored(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def stage_of(state: str, step: str, job_status: str | None) -> Stage:
    """Where a run stands, in the words people see. A failed job that somebody tries again is being made."""
    if state == "running" or (step == "make" and job_status in ("queued", "running") and state == "failed"):
        if step == "post":
            return "scheduled"
        return "queued" if job_status in (None, "queued") else "making"
    words: dict[str, Stage] = {
        "waiting": "queued",
        "awaiting_approval": "waiting_for_approval",
        "succeeded": "done",
        "cancelled": "cancelled",
    }
    return words.get(state, "failed")


def stops(issues: Iterable[Issue]) -> list[Issue]:
    """What keeps a post from going out without anybody having looked."""
    return [issue for issue in issues if issue.level == "error" or issue.code not in PASSES]


def outcome(publication_states: Iterable[str]) -> Literal["running", "succeeded", "failed", "cancelled"]:
    """What a run has come to, by the states of all posts it planned: it goes on while one is on its way, has failed
    when one needs a person, and is done when what was not cancelled is out."""
    found = set(publication_states)
    if found & (states.ACTIVE | {"draft", "scheduled"}):
        return "running"
    if found & states.NEEDS_PERSON:
        return "failed"
    return "succeeded" if found & states.PUBLISHED else "cancelled"
