"""A project: one sitting with a recording, kept in the database so that it survives a reload and a restart.

The page's address names it (``?project=…``); what the user chose lies in its state, what was decided in its timeline,
what is being made in its jobs.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import assets, jobs
from core.database import get_owned
from core.models.assets import Asset, TimelineRow
from core.models.identity import Project
from core.models.jobs import Job
from core.security import Actor
from core.speech import Provider
from core.video.ad_payloads import Role
from core.video.payloads import SampleInput
from core.video.timeline import AspectRatio, Timeline, TransitionStyle


class Choices(BaseModel):
    """What to do with the recording. ``captions`` names a style or is empty, ``music`` is ``preset:<name>`` or
    ``asset:<id>``; ``resolution`` is the short side of what is rendered; of more than ``highlight_seconds`` only the
    best part stays, at 0 everything."""

    model_config = ConfigDict(extra="ignore")

    language: str = ""
    speech_provider: Provider = "local"
    pauses: Literal["cut", "speed", "leave"] = "cut"
    min_silence_seconds: float = 0.6
    pause_speed: float = 4.0
    speed: float = 1.0
    cut_fillers: bool = False
    cut_repeats: bool = False
    transition: TransitionStyle = "cut"
    transition_seconds: float = 0.4
    follow_face: bool = True
    captions: str = "tiktok"
    music: str = ""
    duck_db: float = 10.0
    on_beat: bool = False
    beats_per_cut: int = 4
    reduce_noise: bool = False
    loudness: bool = True
    formats: list[AspectRatio] = Field(default_factory=lambda: list[AspectRatio](["16:9", "9:16"]))
    resolution: Literal["720p", "1080p"] = "1080p"
    highlight_seconds: int = 0
    shorts: int = 5
    max_seconds: int = 45
    chapter_minutes: tuple[int, int] = (2, 20)

    @model_validator(mode="before")
    @classmethod
    def _as_stored_before(cls, state: Any) -> Any:
        """Projects of before pauses could be sped up say whether to cut them."""
        if isinstance(state, dict) and "pauses" not in state and state.get("cut_silence") is False:
            return {**state, "pauses": "leave"}
        return state


class Version(BaseModel):
    """Another version beside the first (SPEC V2.8): its own choices, and which jobs looked for its cuts."""

    model_config = ConfigDict(extra="ignore")

    key: str
    name: str
    choices: Choices
    found_by: list[str] = Field(default_factory=list)


class ChapterDraft(BaseModel):
    """One proposed sub-clip of a long recording as the user left it, in seconds of the source (SPEC V6.1)."""

    model_config = ConfigDict(extra="ignore")

    start: float
    end: float
    title: str
    kept: bool = True
    reasons: list[str] = Field(default_factory=list)


class AdPieceDraft(BaseModel):
    """A piece of an advertising set, in seconds of its video; ``text`` by language (SPEC V6.3)."""

    model_config = ConfigDict(extra="ignore")

    role: Role
    asset_id: UUID
    start: float
    end: float
    name: str = ""
    text: dict[str, str] = Field(default_factory=dict)


class AdDraft(BaseModel):
    """An advertising set as it is put together."""

    model_config = ConfigDict(extra="ignore")

    name: str = ""
    pieces: list[AdPieceDraft] = Field(default_factory=list)
    languages: list[str] = Field(default_factory=list)
    formats: list[AspectRatio] = Field(default_factory=lambda: list[AspectRatio](["9:16"]))


class ProjectState(BaseModel):
    """``Project.state``: the choices (of the first version, and of others) and what the user said about each result;
    ``removed_searches`` are the jobs that looked for the cuts of versions that are gone, ``chapters_of`` is the job
    that proposed the ``chapters``."""

    model_config = ConfigDict(extra="ignore")

    choices: Choices = Field(default_factory=Choices)
    versions: list[Version] = Field(default_factory=list)
    removed_searches: list[str] = Field(default_factory=list)
    chapters: list[ChapterDraft] = Field(default_factory=list)
    chapters_of: str = ""
    ads: AdDraft = Field(default_factory=AdDraft)
    verdicts: dict[str, Literal["kept", "discarded"]] = Field(default_factory=dict)
    titles: dict[str, str] = Field(default_factory=dict)


def state_of(project: Project) -> ProjectState:
    return ProjectState.model_validate(project.state)


def save_state(session: Session, actor: Actor, project_id: UUID, state: ProjectState) -> None:
    """Store the state of a project."""
    actor.require("editor")
    get_owned(session, Project, project_id, lock=True).state = state.model_dump(mode="json")


def get_project(session: Session, project_id: UUID | str) -> Project:
    """One project of the session's owner; raises NotFound."""
    return get_owned(session, Project, project_id)


def start(session: Session, actor: Actor, asset: Asset, language: str) -> Project:
    """A new project on an asset."""
    actor.require("editor")
    resolution: Literal["720p", "1080p"] = "1080p" if min(asset.width or 0, asset.height or 0) >= 1080 else "720p"
    state = ProjectState(choices=Choices(language=language, resolution=resolution))
    project = Project(
        owner_id=actor.owner_id, name=asset.name, source_asset_id=asset.id, state=state.model_dump(mode="json")
    )
    session.add(project)
    session.flush()
    return project


def start_sample(session: Session, actor: Actor, name: str) -> Project:
    """A new project whose recording is being made: the sample talk, in English."""
    actor.require("editor")
    state = ProjectState(choices=Choices(language="en", shorts=3, resolution="720p"))
    project = Project(owner_id=actor.owner_id, name=name, state=state.model_dump(mode="json"))
    session.add(project)
    session.flush()
    jobs.submit(session, actor, "sample.create", SampleInput(), project_id=project.id)
    return project


def adopt_sample(session: Session, project: Project, job: Job) -> None:
    """Give the project the recording that its sample job has made."""
    made = (job.result or {}).get("asset_id")
    if project.source_asset_id is None and made:
        project.source_asset_id = assets.get(session, made).id


def recent(session: Session, limit: int = 8) -> list[tuple[Project, Asset | None]]:
    """The newest projects with their recordings."""
    rows = session.execute(
        select(Project, Asset)
        .outerjoin(Asset, Asset.id == Project.source_asset_id)
        .order_by(Project.updated_at.desc())
        .limit(limit)
    ).all()
    return [(row[0], row[1]) for row in rows]


def newest_timeline(session: Session, project: Project, version: str = "") -> TimelineRow | None:
    """The edit that the project works on: of its first version, or of the one with this key."""
    state = state_of(project)
    statement = select(TimelineRow).where(TimelineRow.project_id == project.id)
    if version:
        jobs_of = [UUID(job) for other in state.versions if other.key == version for job in other.found_by]
        statement = statement.where(TimelineRow.job_id.in_(jobs_of))
    else:
        searches = [job for other in state.versions for job in other.found_by]
        elsewhere = [UUID(job) for job in (*searches, *state.removed_searches)]
        statement = statement.where(or_(TimelineRow.job_id.is_(None), TimelineRow.job_id.not_in(elsewhere)))
    return session.scalar(statement.order_by(TimelineRow.created_at.desc()).limit(1))


def timeline_of(row: TimelineRow) -> Timeline:
    return Timeline.model_validate(row.document)
