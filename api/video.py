"""Video work over HTTP (H1): cut, export, caption, shorts. Each answers 202 with the job; the rest is in the job."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select

from api import references
from api.dependencies import CurrentActor, Editor, Scoped, Starting
from api.shapes import Accepted, AssetOut, assets_out
from core import assets, jobs, voices
from core.errors import InvalidInput
from core.models.assets import TimelineRow
from core.models.publishing import Episode
from core.preferences import stored_names
from core.speech import HOSTED_KEY
from core.video.ad_payloads import AdsInput
from core.video.chapter_payloads import ChaptersInput
from core.video.generate import engines
from core.video.generate.payloads import GenerateInput
from core.video.generate.scenes import require_words
from core.video.payloads import MultiExportInput, SampleInput, ShortsInput, StillInput, SubtitleInput, VideoEditInput

router = APIRouter(prefix="/video", tags=["video"])


class VideoDetails(BaseModel):
    """A video with what was made of it. ``previews`` are its helpers by role (poster, thumbnails, proxy), made by the
    ingest job; ``results`` its visible children, ``timelines`` its stored edits."""

    asset: AssetOut
    previews: dict[str, UUID]
    results: list[AssetOut]
    timelines: list[UUID]
    episodes: list[UUID]


@router.post("/edit", status_code=202)
def edit(session: Starting, actor: CurrentActor, order: VideoEditInput, project_id: UUID | None = None) -> Accepted:
    """Cut, caption, reframe, add music, level and render; with ``dry_run`` only the timeline. With ``versions`` in
    place of ``operations``, ``target_outputs`` and ``timeline_id``: several edits of the video in one job (V2.8)."""
    references.video(session, order.source_video_id)
    for wanted in order.edits:
        references.operations(session, wanted.operations)
        if wanted.timeline_id is not None:
            stored = references.timeline(session, wanted.timeline_id)
            if stored.source_asset_id != order.source_video_id:
                raise InvalidInput("This timeline belongs to another video.")
    job = jobs.submit(session, actor, "video.edit", order, project_id=references.project(session, project_id))
    return Accepted(job_id=job.id)


@router.post("/generate", status_code=202)
def generate(session: Starting, actor: Editor, order: GenerateInput, project_id: UUID | None = None) -> Accepted:
    """Make a video of exactly one of `prompt`, `script`, `storyboard` and `source_assets` (pictures). The built-in
    engine shows pictures and sets words as moving type; it draws no photographs (V1)."""
    engines.require_ready(order, stored_names(session))
    references.pictures(session, order.pictures)
    references.music(session, order.music)
    require_words(order)
    if order.provider == engines.BUILTIN and order.spoken:
        voices.choose(order.spoken, order.language, order.voice, hosted=HOSTED_KEY in stored_names(session))
    job = jobs.submit(session, actor, "video.generate", order, project_id=references.project(session, project_id))
    return Accepted(job_id=job.id)


@router.post("/multi-export", status_code=202)
def multi_export(
    session: Starting, actor: CurrentActor, order: MultiExportInput, project_id: UUID | None = None
) -> Accepted:
    """One video in several shapes, decoded once (V5)."""
    references.video(session, order.source_video_id)
    job = jobs.submit(session, actor, "video.multi_export", order, project_id=references.project(session, project_id))
    return Accepted(job_id=job.id)


@router.post("/subtitle", status_code=202)
def subtitle(session: Starting, actor: CurrentActor, order: SubtitleInput, project_id: UUID | None = None) -> Accepted:
    """Transcribe, translate, break into captions, write the files asked for, or burn one in (V3)."""
    asset = references.sound(session, references.video(session, order.video_asset_id).id)
    references.translation(
        session, asset, order.source_language, order.target_languages, order.translation_provider
    )  # fmt: skip
    job = jobs.submit(session, actor, "video.subtitle", order, project_id=references.project(session, project_id))
    return Accepted(job_id=job.id)


@router.post("/shorts", status_code=202)
def shorts(session: Starting, actor: CurrentActor, order: ShortsInput, project_id: UUID | None = None) -> Accepted:
    """The best clips of a long recording, ranked and titled (V6.2)."""
    references.sound(session, references.video(session, order.source_video_id).id)
    references.music(session, order.music)
    references.operations(session, order.operations)
    job = jobs.submit(session, actor, "video.shorts", order, project_id=references.project(session, project_id))
    return Accepted(job_id=job.id)


@router.post("/chapters", status_code=202)
def chapters(session: Starting, actor: CurrentActor, order: ChaptersInput, project_id: UUID | None = None) -> Accepted:
    """A long recording in sub-clips by topic, scene, energy and speech (V6.1). With ``dry_run`` the job's result holds
    the proposals (``chapters``) and where they can be split (``borders``); with ``chapters`` exactly those given are
    rendered, as kept, joined, split and renamed."""
    references.video(session, order.source_video_id)
    references.music(session, order.music)
    references.operations(session, order.operations)
    job = jobs.submit(session, actor, "video.chapters", order, project_id=references.project(session, project_id))
    return Accepted(job_id=job.id)


@router.post("/ads", status_code=202)
def ads(session: Starting, actor: CurrentActor, order: AdsInput, project_id: UUID | None = None) -> Accepted:
    """An advertising set: hooks × bodies × calls to action × shapes × languages, at most 96 videos in a job (V6.3)."""
    for piece in (*order.hooks, *order.bodies, *order.calls_to_action):
        asset = references.video(session, piece.video_asset_id)
        length = asset.duration_seconds
        if length is not None and (piece.start if piece.end is None else piece.end) > length + 0.5:
            raise InvalidInput(
                f"A piece of “{asset.name}” ends after the recording does.", f"It lasts {length:.1f} seconds."
            )
        if order.style is not None:
            references.translation(
                session, asset, order.source_language, order.languages, order.translation_provider
            )  # fmt: skip
    references.music(session, order.music)
    job = jobs.submit(session, actor, "video.ads", order, project_id=references.project(session, project_id))
    return Accepted(job_id=job.id)


@router.post("/still", status_code=202)
def still(session: Starting, actor: CurrentActor, order: StillInput) -> Accepted:
    """One picture of a video as an image of the library, to be a post's thumbnail (P2.1)."""
    references.video(session, order.video_asset_id)
    return Accepted(job_id=jobs.submit(session, actor, "video.still", order).id)


@router.post("/sample", status_code=202)
def sample(session: Starting, actor: CurrentActor) -> Accepted:
    """Make the sample recording: a talk of about two minutes with a voice and a face."""
    return Accepted(job_id=jobs.submit(session, actor, "sample.create", SampleInput()).id)


@router.get("/{asset_id}/details")
def details(session: Scoped, asset_id: UUID) -> VideoDetails:
    """A video, its results, its stored edits and its episodes."""
    asset = references.video(session, asset_id)
    related = assets.lineage(session, asset.id).children
    children = [child for child, _role in related if not child.hidden]
    timelines = session.scalars(
        select(TimelineRow).where(TimelineRow.source_asset_id == asset.id).order_by(TimelineRow.created_at)
    )
    episodes = session.scalars(
        select(Episode).where(Episode.asset_id == asset.id, Episode.state != "discarded").order_by(Episode.created_at)
    )
    return VideoDetails(
        asset=assets_out(session, [asset])[0],
        previews={role: child.id for child, role in related if child.hidden},
        results=assets_out(session, children),
        timelines=[row.id for row in timelines],
        episodes=[row.id for row in episodes],
    )
