"""The kinds of jobs: which payload each takes, which queue carries it, how often it is tried again.

Payload classes are named by their import path so that asking for one kind does not import the rooms of all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from pydantic import BaseModel

from core.errors import InvalidInput


@dataclass(frozen=True)
class JobKind:
    """``payload`` is ``module:class``; ``queue`` is media, models, publishing or default: an order with a ``queue``
    of its own goes there."""

    name: str
    payload: str
    queue: str
    max_attempts: int = 3

    @property
    def title_key(self) -> str:
        """Message key of what a person calls this job."""
        return f"job.{self.name}"

    def payload_class(self) -> type[BaseModel]:
        module, name = self.payload.split(":")
        loaded: type[BaseModel] = getattr(import_module(module), name)
        return loaded


_ALL = (
    JobKind("ingest", "core.video.payloads:IngestInput", "default"),
    JobKind("sample.create", "core.video.payloads:SampleInput", "default"),
    JobKind("video.edit", "core.video.payloads:VideoEditInput", "media"),
    JobKind("video.render", "core.video.payloads:RenderTimelineInput", "media"),
    JobKind("video.multi_export", "core.video.payloads:MultiExportInput", "media"),
    JobKind("video.subtitle", "core.video.payloads:SubtitleInput", "media"),
    JobKind("video.still", "core.video.payloads:StillInput", "default"),
    JobKind("video.shorts", "core.video.payloads:ShortsInput", "media"),
    JobKind("video.chapters", "core.video.chapter_payloads:ChaptersInput", "media"),
    JobKind("video.ads", "core.video.ad_payloads:AdsInput", "media"),
    JobKind("video.generate", "core.video.generate.payloads:GenerateInput", "media"),
    JobKind("audio.import", "core.music.payloads:ImportAudioInput", "default"),
    JobKind("music.analyze", "core.music.payloads:AnalyzeInput", "default"),
    JobKind("music.tab", "core.music.payloads:TabInput", "default"),
    JobKind("audio.stems", "core.music.stem_payloads:StemsInput", "media"),
    JobKind("audio.remaster", "core.music.remaster_payloads:RemasterInput", "media"),
    JobKind("audio.podcast", "core.music.podcast_payloads:PodcastInput", "media"),
    JobKind("audio.mix", "core.music.stem_payloads:MixInput", "default"),
    JobKind("audio.speech", "core.music.speech_payloads:SpeechInput", "default"),
    JobKind("music.builtin", "core.music.payloads:BuiltinTracksInput", "default"),
    JobKind("music.generate", "core.music.generate_payloads:GenerateMusicInput", "default"),
    JobKind("models.download", "core.music.payloads:ModelDownloadInput", "default"),
    JobKind("advisor.answer", "core.advisor.payloads:AnswerInput", "default"),
    JobKind("publishing.upload", "core.publishing.payloads:PublishingUploadInput", "publishing", 10),
    JobKind("publishing.sync_metrics", "core.publishing.payloads:SyncMetricsInput", "publishing"),
    JobKind("publishing.sync_revenue", "core.publishing.payloads:SyncRevenueInput", "publishing"),
)
KINDS: dict[str, JobKind] = {kind.name: kind for kind in _ALL}
QUEUES = ("media", "models", "publishing", "default")


def kind_of(name: str) -> JobKind:
    """Look a kind up; raises :class:`InvalidInput` for an unknown one."""
    if name not in KINDS:
        raise InvalidInput("The studio does not know this kind of job.", name)
    return KINDS[name]
