"""A recording under work: its file, its facts, and everything measured on it, each measured once per content."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from core import speech
from core.errors import InvalidInput, NotConfigured, UnsupportedMedia
from core.hosted import Service
from core.models.assets import MediaAnalysis
from core.models.identity import User
from core.preferences import stored_value
from core.progress import Progress, part
from core.settings import get_settings
from core.video.plan import Measured, Needs, SourceFacts
from core.video.reframe import Box, FaceSample
from core.video.text import regroup_words
from core.video.timeline import Timeline, Word
from providers.video.probe import MediaInfo, probe
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from workers.context import JobContext

if TYPE_CHECKING:
    from providers.speech.whisper import Transcript

HOP_SECONDS = 0.01
FACES_PER_SECOND = 5.0
BLOCK_SECONDS = 5
_LEVEL_STEP_DB = 0.5


class Source:
    """One asset with sound and picture.

    Measurements are looked up by the file's content and their own parameters first (``MediaAnalysis``) and stored
    when they were made, so that a second edit of the same recording measures nothing again.
    """

    def __init__(self, context: JobContext, asset_id: UUID | str, speech_provider: speech.Provider = "local") -> None:
        self._context = context
        self._speech_provider = speech_provider
        self.asset = context.asset(asset_id)
        self.path = context.asset_path(asset_id)
        self._sound: Path | None = None

    @cached_property
    def info(self) -> MediaInfo:
        """What the head of the file says: read once, however many clips are made of it."""
        return probe(self.path)

    def facts(self, progress: Progress) -> SourceFacts:
        """Rate, size and length; raises UnsupportedMedia for a file without a picture."""
        found = self._context.analysis(self.asset.sha256, "picture")
        if found is None:
            info = probe(self.path, exact=True, progress=part(progress, 0.0, 1.0, "stage.probe"))
            if info.kind != "video":
                raise UnsupportedMedia("This recording has sound but no picture.", "Choose a video.")
            found = {
                "fps": str(info.fps),
                "width": info.width,
                "height": info.height,
                "frames": info.frames,
                "has_audio": info.has_audio,
            }
            self._context.store_analysis(self.asset.sha256, "picture", found)
        return SourceFacts(
            asset_id=self.asset.id,
            fps=Fraction(found["fps"]),
            width=found["width"],
            height=found["height"],
            frames=found["frames"],
            has_audio=found["has_audio"],
        )

    def measure(self, needed: Needs, language: str, progress: Progress) -> Measured:
        """What the operations need to hear. ``language`` as in a payload: a code, or "auto".

        Raises:
            InvalidInput: the recording has no sound, or its language must be chosen first.
            NotConfigured: no speech model on this machine knows the language.
        """
        if not needed.sound:
            return Measured()
        if not self.asset.has_audio:
            raise InvalidInput(
                "This recording has no sound, so nothing can be heard in it.",
                "Leave out captions, pauses and spoken mistakes.",
            )
        if needed.words:
            self._require_engine(self.language(language))  # say what is missing before any work is done
        levels = self._levels(part(progress, 0.05, 0.1)) if needed.levels else ()
        spans = self._speech(part(progress, 0.1, 0.2)) if needed.speech else ()
        words: tuple[Word, ...] = ()
        spoken = ""
        if needed.words:
            words, spoken = self.transcript(language, part(progress, 0.2, 0.97))
        unwritten = self._hesitations(words, language, part(progress, 0.97, 1.0)) if needed.hesitations else ()
        return Measured(words, spoken, levels, HOP_SECONDS, spans, unwritten)

    def language(self, asked: str) -> str:
        """The spoken language: as asked, else as stored with the recording, else "auto" if it can be found out.

        Raises:
            InvalidInput: nobody said which language is spoken, no model on this machine can tell, and the studio is
                not used in English.
        """
        if asked != "auto":
            return asked
        stored = str(self.asset.details.get("language") or "auto")
        if stored != "auto":
            return stored
        if self._speech_provider == "hosted":
            raise InvalidInput("Which language is spoken in this recording?", "The speech service has to be told.")
        if any(speech.CATALOGUE[name].multilingual for name in speech.installed()):
            return "auto"
        with self._context.session() as session:
            user = session.get(User, self._context.owner_id)
            own = str((user.preferences if user else {}).get("language") or "en")
        if own != "en":
            raise InvalidInput(
                "Which language is spoken in this recording?",
                "Choose the spoken language first: the speech model on this machine cannot find it out.",
            )
        return "auto"

    def transcript(self, asked: str, progress: Progress) -> tuple[tuple[Word, ...], str]:
        """The words with their times, and the language they were heard in."""
        language = self.language(asked)
        parameters = f"{self._require_engine(language)}:{language}"
        found = self._context.analysis(self.asset.sha256, "words", parameters)
        if found is None:
            heard = self._hear(language, progress)
            words = regroup_words(heard.words)
            found = {
                "language": heard.language,
                "words": [[word.word, word.start, word.end, word.probability] for word in words],
            }
            self._context.store_analysis(self.asset.sha256, "words", found, parameters)
        read = tuple(Word(word=row[0], start=row[1], end=row[2], probability=row[3]) for row in found["words"])
        return read, str(found["language"])

    def _require_engine(self, language: str) -> str:
        """What will write the speech down: the name of a local model, or the hosted service and its model."""
        if self._speech_provider == "local":
            return speech.choose(language.split("-")[0])
        self._service_key()
        return f"hosted:{get_settings().speech_api_model}"

    def _service_key(self) -> str:
        with self._context.session() as session:
            key = stored_value(session, self._context.owner_id, speech.HOSTED_KEY)
        if not key:
            raise NotConfigured(
                "The hosted speech service has no key.",
                f"Store {speech.HOSTED_KEY} under Settings.",
                setting=speech.HOSTED_KEY,
            )
        return key

    def _hear(self, language: str, progress: Progress) -> Transcript:
        sound, rest = self.sound(part(progress, 0.0, 0.05)), part(progress, 0.05, 1.0)
        folder = self._context.folder
        if self._speech_provider == "hosted":
            from providers.speech import hosted

            settings = get_settings()
            service = Service(settings.speech_api_base, settings.speech_api_model, self._service_key())
            return hosted.transcribe(sound, service, language=language, folder=folder, progress=rest)
        from providers.speech.whisper import transcribe

        model = speech.choose(language.split("-")[0])
        return transcribe(sound, language=language, model=model, folder=folder, progress=rest)

    def levels(self, progress: Progress) -> Sequence[float]:
        """Level in dBFS every ``HOP_SECONDS``; empty for a recording without sound."""
        return self._levels(progress) if self.asset.has_audio else ()

    def _levels(self, progress: Progress) -> Sequence[float]:
        found = self._context.analysis(self.asset.sha256, "levels", str(HOP_SECONDS))
        if found is None:
            from providers.video.analysis import level_envelope

            envelope = level_envelope(self.sound(part(progress, 0.0, 0.7)), hop_seconds=HOP_SECONDS)
            steps = bytes(min(255, max(0, round(-level / _LEVEL_STEP_DB))) for level in envelope.levels_db)
            found = {"step_db": _LEVEL_STEP_DB, "below_full_scale": base64.b64encode(steps).decode("ascii")}
            self._context.store_analysis(self.asset.sha256, "levels", found, str(HOP_SECONDS))
        return [-found["step_db"] * value for value in base64.b64decode(found["below_full_scale"])]

    def _speech(self, progress: Progress) -> list[tuple[float, float]]:
        found = self._context.analysis(self.asset.sha256, "speech")
        if found is None:
            from providers.speech.vad import speech_in_file

            spans = speech_in_file(self.sound(progress), self._context.folder, progress=progress)
            found = {"spans": [[round(span.start, 3), round(span.end, 3)] for span in spans]}
            self._context.store_analysis(self.asset.sha256, "speech", found)
        return [(start, end) for start, end in found["spans"]]

    def _hesitations(self, words: Sequence[Word], asked: str, progress: Progress) -> list[tuple[float, float]]:
        language = self.language(asked)
        parameters = f"{self._require_engine(language)}:{language}"
        found = self._context.analysis(self.asset.sha256, "hesitations", parameters)
        if found is None:
            from providers.speech.hesitations import hesitations_in_file

            heard = hesitations_in_file(self.sound(progress), words, self._context.folder, progress=progress)
            found = {"spans": [[round(start, 3), round(end, 3)] for start, end in heard]}
            self._context.store_analysis(self.asset.sha256, "hesitations", found, parameters)
        return [(start, end) for start, end in found["spans"]]

    def sound(self, progress: Progress) -> Path:
        """The sound as 16 kHz mono WAV on the picture's clock: second n is what is heard at second n of the video."""
        if self._sound is None:
            path = self._context.folder / "sound.wav"
            run_ffmpeg(
                [
                    *source_arguments(self.path, "-vn", "-sn", "-dn"), "-map", "0:a:0",
                    "-af", "aresample=16000:async=1:first_pts=0:min_hard_comp=0.02",
                    "-ac", "1", "-c:a", "pcm_s16le", output_argument(path),
                ],
                duration_seconds=self.asset.duration_seconds or 0.0,
                progress=progress,
                stage="stage.listen",
            )  # fmt: skip
            self._sound = path
        return self._sound

    def faces(self, timeline: Timeline, progress: Progress) -> tuple[list[FaceSample], list[float]]:
        """Faces and cuts between shots around the kept parts of a timeline, in seconds of the source.

        Looked at and kept in blocks of ``BLOCK_SECONDS``, so that another edit, or another clip that overlaps, looks
        only at what nobody has looked at yet.
        """
        last = int(timeline.duration_frames / timeline.rate / BLOCK_SECONDS)
        wanted: set[int] = set()
        for piece in timeline.kept:
            first = int(piece.start_frame / timeline.rate / BLOCK_SECONDS)
            wanted.update(range(first, min(last, int(piece.end_frame / timeline.rate / BLOCK_SECONDS)) + 1))
        known = self._known_blocks(wanted)
        missing = sorted(wanted - set(known))
        if missing:
            from providers.video.faces import look

            watching = part(progress, 0, 1, "stage.watch")
            spans = [(block * BLOCK_SECONDS - 1.0, (block + 1) * BLOCK_SECONDS + 1.0) for block in missing]
            seen = look(self.path, fps=FACES_PER_SECOND, spans=spans, info=self.info, progress=watching)
            for block in missing:
                known[block] = {
                    "faces": [
                        [sample.time, [[box.x, box.y, box.width, box.height, box.score] for box in sample.boxes]]
                        for sample in seen.faces
                        if _block(sample.time) == block
                    ],
                    "cuts": [cut for cut in seen.scene_cuts if _block(cut) == block],
                }
                self._context.store_analysis(self.asset.sha256, "faces", known[block], str(block))
        rows = [row for block in sorted(wanted) for row in known[block]["faces"]]
        cuts = [cut for block in sorted(wanted) for cut in known[block]["cuts"]]
        return [FaceSample(time, tuple(Box(*box) for box in boxes)) for time, boxes in rows], cuts

    def shots(self, moments: Sequence[float] | None, reach: float, progress: Progress) -> list[float]:
        """Seconds at which the picture changes, within ``reach`` seconds of ``moments``, in order; of the whole
        recording where None is given."""
        parameters = "all"
        if moments is not None:
            near = ",".join(f"{moment:.2f}" for moment in moments)
            parameters = hashlib.sha256(f"{reach}:{near}".encode()).hexdigest()[:32]
        found = self._context.analysis(self.asset.sha256, "shots", parameters)
        if found is None:
            from providers.video.analysis import scene_cuts

            def look(fraction: float, stage: str | None = None) -> None:
                progress(fraction, "stage.shots" if stage == "stage.watch" else stage)  # no faces are looked for

            spans = None if moments is None else [(moment - reach, moment + reach) for moment in moments]
            found = {"cuts": list(scene_cuts(self.path, spans=spans, progress=look))}
            self._context.store_analysis(self.asset.sha256, "shots", found, parameters)
        return [float(cut) for cut in found["cuts"]]

    def _known_blocks(self, wanted: set[int]) -> dict[int, dict[str, Any]]:
        with self._context.session() as session:
            rows = session.execute(
                select(MediaAnalysis.parameters, MediaAnalysis.result).where(
                    MediaAnalysis.owner_id == self._context.owner_id,
                    MediaAnalysis.sha256 == self.asset.sha256,
                    MediaAnalysis.kind == "faces",
                    MediaAnalysis.parameters.in_([str(block) for block in wanted]),
                )
            )
            return {int(parameters): result for parameters, result in rows}


def _block(seconds: float) -> int:
    return int(seconds / BLOCK_SECONDS)
