"""An example of each main order, shown by the documentation; a test checks that every one is accepted by its model."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from core.advisor.payloads import AskIn
from core.business.payloads import CostIn, FxRateIn, RevenueIn
from core.music.generate_payloads import GenerateMusicInput
from core.music.payloads import AnalyzeInput, ImportAudioInput, TabInput
from core.music.podcast_payloads import PodcastInput
from core.music.remaster_payloads import RemasterInput
from core.music.speech_payloads import SpeechInput
from core.music.stem_payloads import MixInput, StemsInput
from core.publishing.payloads import (
    AccountInput,
    ChannelInput,
    EpisodeInput,
    PublicationPlanInput,
    RescheduleInput,
    SeriesInput,
)
from core.publishing.pipelines.store import PipelineInput
from core.video.ad_payloads import AdsInput
from core.video.chapter_payloads import ChaptersInput
from core.video.generate.payloads import GenerateInput
from core.video.payloads import MultiExportInput, ShortsInput, SubtitleInput, VideoEditInput

_VIDEO = "0190f3c0-7a5e-7c1a-9f0e-2b6d1c3a4e5f"
_EPISODE = "0190f3c1-11aa-7b2c-8d3e-4f5a6b7c8d9e"
_ACCOUNT = "0190f3c2-22bb-7c3d-9e4f-5a6b7c8d9e0f"

EXAMPLES: dict[type[BaseModel], dict[str, Any]] = {
    VideoEditInput: {
        "mode": "edit",
        "provider": "internal_ffmpeg",
        "source_video_id": _VIDEO,
        "operations": [
            {"type": "auto_cut_silence", "threshold_db": -38, "min_silence_seconds": 0.6, "padding_seconds": 0.12},
            {"type": "auto_transition", "style": "crossfade", "duration_seconds": 0.4},
            {"type": "auto_reframe", "target_aspect_ratio": "9:16", "subject": "face"},
            {"type": "add_subtitle", "subtitle_mode": "auto", "style": "tiktok", "language": "en", "burn_in": True},
            {"type": "add_music", "audio_preset": "lofi", "duck_db": 12, "sync_to_beat": True},
            {"type": "normalize_loudness", "target_lufs": -14},
        ],
        "target_outputs": [{"platform": "youtube"}, {"aspect_ratio": "9:16", "resolution": "1080x1920"}],
        "dry_run": False,
    },
    GenerateInput: {
        "mode": "generate",
        "provider": "internal_ffmpeg",
        "storyboard": {
            "scenes": [
                {"text": "Three habits for better videos", "duration_seconds": 3},
                {"image_asset_id": _VIDEO, "narration": "Turn your chair to the window.", "transition": "crossfade"},
            ]
        },
        "aspect_ratio": "9:16",
        "resolution": "1080x1920",
        "style": "cinematic",
        "audio_preset": "lofi",
        "language": "en",
    },
    MultiExportInput: {
        "source_video_id": _VIDEO,
        "target_outputs": [{"platform": "tiktok"}, {"platform": "facebook"}, {"aspect_ratio": "1:1"}],
    },
    SubtitleInput: {
        "video_asset_id": _VIDEO,
        "source_language": "en",
        "target_languages": ["th", "ja"],
        "translation_provider": "local",
        "formats": ["srt", "vtt"],
        "burn_in": True,
        "burn_in_language": "th",
    },
    ShortsInput: {
        "source_video_id": _VIDEO,
        "count": 10,
        "min_seconds": 15,
        "max_seconds": 60,
        "aspect_ratio": "9:16",
        "style": "tiktok",
        "music": "lofi",
        "operations": [{"type": "auto_cut_silence"}],
    },
    ChaptersInput: {
        "source_video_id": _VIDEO,
        "chapters": [
            {"start": 12.4, "end": 371.0, "title": "How to set up a small studio"},
            {"start": 402.5, "end": 918.2, "title": "Questions about microphones"},
        ],
        "aspect_ratio": "16:9",
        "operations": [{"type": "auto_cut_silence"}],
    },
    AdsInput: {
        "name": "Summer sale",
        "hooks": [
            {"video_asset_id": _VIDEO, "start": 0, "end": 4.5, "text": {"en": "Wait for it", "th": "รอดูก่อน"}},
            {"video_asset_id": _VIDEO, "start": 31, "end": 35, "name": "Question"},
        ],
        "bodies": [{"video_asset_id": _VIDEO, "start": 40, "end": 58}],
        "calls_to_action": [{"video_asset_id": _EPISODE}],
        "target_outputs": [{"platform": "tiktok"}, {"aspect_ratio": "1:1", "resolution": "720p"}],
        "languages": ["en", "th"],
        "style": "tiktok",
        "music": "lofi",
        "operations": [{"type": "auto_cut_silence"}],
    },
    ImportAudioInput: {"source_asset_id": _VIDEO},
    SpeechInput: {
        "text": "Turn your chair to the window. Nobody tells you how much that helps.",
        "voice": "en_US-joe-medium",
        "language": "en",
        "speed": 1.0,
    },
    AnalyzeInput: {"audio_asset_id": _VIDEO, "tasks": ["tempo", "beats", "key", "chords"]},
    TabInput: {
        "audio_asset_id": _VIDEO,
        "instrument": "guitar",
        "difficulty": "easy",
        "formats": ["text", "gp5", "musicxml"],
    },
    GenerateMusicInput: {
        "prompt": "calm piano and strings for a rainy evening",
        "duration_seconds": 45,
        "mood": "calm",
        "instruments": ["piano", "strings"],
        "tempo_bpm": 72,
        "key": "D:min",
        "loop": True,
        "seed": 7,
        "provider": "builtin",
    },
    StemsInput: {"audio_asset_id": _VIDEO, "stems": ["vocal", "drums", "bass", "other"], "provider": "builtin"},
    RemasterInput: {
        "audio_asset_id": _VIDEO,
        "operations": [
            {"type": "reduce_noise", "strength": 0.5, "material": "speech"},
            {"type": "dereverb", "strength": 0.5},
            {"type": "eq", "preset": "vocal_boost", "amount": 0.5},
            {"type": "normalize", "target_lufs": -16},
        ],
    },
    PodcastInput: {
        "tracks": [
            {"asset_id": _VIDEO, "role": "music", "placement": "intro", "trim": {"start": 0, "end": 12}},
            {"asset_id": _VIDEO, "role": "voice", "gain_db": 0, "cuts": [{"start": 61.5, "end": 70}]},
            {"asset_id": _EPISODE, "role": "ad", "title": "Our sponsor"},
        ],
        "operations": [
            {"type": "reduce_noise", "strength": 0.4},
            {"type": "auto_cut_silence", "min_silence_seconds": 1.2},
            {"type": "duck", "duck_db": 14},
            {"type": "normalize", "target_lufs": -16},
        ],
        "chapters": [{"start": 0, "title": "Welcome"}, {"start": 95, "title": "The market at midnight"}],
        "format": "mp3",
        "title": "The market that opens at midnight",
        "show_notes": "Links and names of this episode: https://example.com/12",
        "author": "Night walks",
        "number": 12,
    },
    MixInput: {
        "tracks": [{"asset_id": _VIDEO, "gain_db": -3.0}, {"asset_id": _EPISODE, "muted": True}],
        "format": "mp3",
        "name": "Karaoke",
    },
    ChannelInput: {"name": "Night walks", "timezone": "Asia/Bangkok", "currency": "THB", "language": "th"},
    SeriesInput: {"name": "Markets"},
    EpisodeInput: {"title": "The market that opens at midnight", "asset_id": _VIDEO, "tags": ["bangkok", "food"]},
    PublicationPlanInput: {
        "episode_id": _EPISODE,
        "targets": [
            {
                "platform_account_id": _ACCOUNT,
                "scheduled_time": "2030-05-01T18:00",
                "timezone": "Asia/Bangkok",
                "title": "The market that opens at midnight",
                "privacy": "public",
                "tags": ["bangkok", "food"],
            }
        ],
    },
    PipelineInput: {
        "name": "Shorts of every talk",
        "needs_approval": True,
        "recipe": {
            "trigger": {"kind": "recording", "name_contains": "talk", "min_seconds": 300},
            "make": {"kind": "shorts", "count": 5, "language": "en", "operations": [{"type": "auto_cut_silence"}]},
            "targets": [
                {
                    "platform_account_id": _ACCOUNT,
                    "title": "{title} · {series}",
                    "description": "{description}\n\n{credits}",
                    "tags": ["{tags}", "{series}"],
                    "privacy": "public",
                }
            ],
            "schedule": {"kind": "times", "times": ["12:00", "18:30"], "gap_minutes": 120},
        },
    },
    RescheduleInput: {"scheduled_time": "2030-05-02T18:00", "timezone": "Asia/Bangkok"},
    AccountInput: {
        "platform": "youtube",
        "external_id": "UC0123456789",
        "name": "Night walks",
        "auth_config": {"access_token": "…", "refresh_token": "…", "expires_at": "2030-01-01T00:00:00Z"},
    },
    CostIn: {
        "episode_id": _EPISODE,
        "category": "editing",
        "amount": "1250.00",
        "currency": "THB",
        "incurred_on": "2030-05-01",
    },
    RevenueIn: {"episode_id": _EPISODE, "amount": "18.40", "currency": "USD", "earned_on": "2030-05-02"},
    FxRateIn: {"base": "USD", "quote": "THB", "on_date": "2030-05-01", "rate": "33.10"},
    AskIn: {"question": "Which episode earned most last month?"},
}
