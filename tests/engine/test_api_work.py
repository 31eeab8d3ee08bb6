"""Starting work over HTTP: the order is checked before a job exists, the job carries exactly what was asked (H1–H5)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import database
from core.i18n import t
from core.models.assets import AudioAnalysis
from core.models.base import uuid7
from core.models.jobs import Job
from core.security import Actor
from core.settings import Settings
from tests.engine.api_server import Served, serve
from tests.engine.test_api_assets import store


@pytest.fixture
def served(studio: Settings) -> Iterator[Served]:
    with serve() as found:
        yield found


@pytest.fixture
def client(served: Served, owner: Actor) -> Iterator[httpx.Client]:
    with served.client(owner) as found:
        yield found


def media(actor: Actor, folder: Path, kind: str, *, has_audio: bool = True) -> str:
    from uuid import UUID

    from core.models.assets import Asset

    asset_id = store(actor, folder, os.urandom(100), f"{kind}.bin", f"{kind}/mp4", kind=kind)
    with database.session() as session:
        session.get_one(Asset, UUID(asset_id)).has_audio = has_audio
    return asset_id


@pytest.fixture
def video(owner: Actor, tmp_path: Path) -> str:
    return media(owner, tmp_path, "video")


def payload_of(answer: httpx.Response) -> tuple[str, dict[str, Any]]:
    assert answer.status_code == 202, answer.text
    assert set(answer.json()) == {"job_id"}
    with database.session() as session:
        job = session.get_one(Job, answer.json()["job_id"])
        return job.kind, job.payload


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    with database.session() as session:
        assert session.query(Job).count() == 0
    return str(answer.json()["title"])


def test_a_request_sent_again_under_its_name_starts_one_job(client: httpx.Client, video: str) -> None:
    def send(key: str, factor: float) -> httpx.Response:
        order = {"source_video_id": video, "operations": [{"type": "reduce_noise", "strength": factor}]}
        return client.post("/api/video/edit", json=order, headers={"Idempotency-Key": key})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: send("cut of Monday", 0.3), range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    other = send("cut of Monday", 0.4)
    assert (other.status_code, other.headers["content-type"]) == (422, "application/problem+json")
    assert send("cut of Tuesday", 0.3).json() != answers[0].json()
    with database.session() as session:
        assert session.query(Job).count() == 2


def test_edit_carries_the_order(client: httpx.Client, video: str) -> None:
    order = {
        "mode": "edit",
        "provider": "internal_ffmpeg",
        "source_video_id": video,
        "operations": [
            {"type": "auto_cut_silence", "threshold_db": -40},
            {"type": "add_music", "audio_preset": "lofi"},
        ],
        "target_outputs": [{"aspect_ratio": "9:16", "resolution": "720p"}, {"platform": "youtube"}],
        "dry_run": True,
    }
    kind, payload = payload_of(client.post("/api/video/edit", json=order))
    assert kind == "video.edit"
    assert payload["operations"][0]["threshold_db"] == -40
    assert payload["operations"][0]["padding_seconds"] > 0
    assert payload["dry_run"] is True


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"source_video_id": str(uuid7())}, 404),
        ({"operations": [{"type": "add_music", "audio_preset": "no such music"}]}, 422),
        ({"operations": [{"type": "add_music", "music_asset_id": str(uuid7())}]}, 404),
        ({"operations": [{"type": "make_it_viral"}]}, 422),
        ({"operations": [{"type": "cut_by_beat", "music_asset_id": str(uuid7())}]}, 404),
        ({"operations": [{"type": "auto_cut_silence", "threshold": -40}]}, 422),
        ({"timeline_id": str(uuid7())}, 404),
        ({"surprise": 1}, 422),
        ({"target_outputs": []}, 422),
        ({"versions": [{"name": "Tight", "operations": [{"type": "add_music", "audio_preset": "none"}]}]}, 422),
        ({"versions": [{"name": "Tight", "timeline_id": str(uuid7())}]}, 404),
        ({"versions": [{"name": "Tight"}], "operations": [{"type": "auto_cut_silence"}]}, 422),
    ],
)
def test_edits_that_cannot_be_done_never_become_jobs(
    client: httpx.Client, video: str, change: dict[str, Any], status: int
) -> None:
    refused(client.post("/api/video/edit", json={"source_video_id": video, **change}), status)


def test_the_sign_of_ducking_and_the_names_of_results_do_not_matter(client: httpx.Client, video: str) -> None:
    """SPEC H says neither; a caller may think either way."""
    music = {"type": "add_music", "audio_preset": "lofi", "duck_db": -12, "sync_to_beat": True}
    _, payload = payload_of(client.post("/api/video/edit", json={"source_video_id": video, "operations": [music]}))
    assert payload["operations"][0]["duck_db"] == 12
    tasks = ["bpm", "beats", "downbeats", "key", "scale", "chords", "energy_curve"]
    _, payload = payload_of(client.post("/api/music/analyze", json={"audio_asset_id": video, "tasks": tasks}))
    assert payload["tasks"] == ["tempo", "beats", "key", "chords", "energy"]


def test_an_unknown_operation_is_answered_with_those_there_are(client: httpx.Client, video: str) -> None:
    for operation, words in (
        ({"type": "auto_title"}, "There is no “auto_title” here. There is: 'auto_cut_silence'"),
        ({"type": "auto_speed"}, "give factor, silence_factor or both"),
        ({"style": "x"}, "'type' is missing"),
        ({"type": "auto_cut_silence", "thresold_db": -3}, "thresold_db: There is no setting of this name."),
        ({"type": "cut_by_beat", "beats_per_cut": 4}, "cut_by_beat needs music_asset_id"),
        ({"type": "remove_range", "start": 5, "end": 2}, "end must be later than start"),
    ):
        order = {"source_video_id": video, "operations": [operation]}
        answer = client.post("/api/video/edit", json=order)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
        assert "Value error" not in answer.text


def test_what_a_job_does_and_why_a_short_was_chosen_are_told_in_words(client: httpx.Client, video: str) -> None:
    started = client.post("/api/video/shorts", json={"source_video_id": video, "count": 1}).json()["job_id"]
    with database.session() as session:
        row = {"title": "One", "reasons": ["shorts.reason.complete"]}
        session.get_one(Job, started).result = {"outputs": [row], "asset_ids": []}
    for language, words in (("en", "a finished thought"), ("th", "จบความในตัว")):
        job = client.get(f"/api/jobs/{started}", headers={"Accept-Language": language}).json()
        assert job["stage"] == t("stage.queued", language)
        assert job["result"]["outputs"] == [{"title": "One", "reasons": [words]}]


def test_kinds_must_fit(client: httpx.Client, owner: Actor, tmp_path: Path, video: str) -> None:
    audio = media(owner, tmp_path, "audio")
    silent = media(owner, tmp_path, "video", has_audio=False)
    assert "is not a video" in refused(client.post("/api/video/edit", json={"source_video_id": audio}), 422)
    assert "no sound" in refused(client.post("/api/video/subtitle", json={"video_asset_id": silent}), 422)
    assert "no sound" in refused(client.post("/api/video/shorts", json={"source_video_id": silent}), 422)
    assert "no sound" in refused(client.post("/api/music/analyze", json={"audio_asset_id": silent}), 422)
    music = {"type": "add_music", "music_asset_id": silent}
    refused(client.post("/api/video/edit", json={"source_video_id": video, "operations": [music]}), 422)
    assert payload_of(client.post("/api/music/analyze", json={"audio_asset_id": audio}))[0] == "music.analyze"
    assert payload_of(client.post("/api/audio/import", json={"source_asset_id": video}))[0] == "audio.import"


def test_every_other_kind_of_work(client: httpx.Client, video: str) -> None:
    shorts = {"source_video_id": video, "count": 3, "min_seconds": 10, "max_seconds": 40, "music": "lofi"}
    kind, payload = payload_of(client.post("/api/video/shorts", json=shorts))
    assert (kind, payload["count"], payload["music"]["audio_preset"]) == ("video.shorts", 3, "lofi")
    exports = {"source_video_id": video, "target_outputs": [{"aspect_ratio": "1:1"}]}
    assert payload_of(client.post("/api/video/multi-export", json=exports))[0] == "video.multi_export"
    captions = {"video_asset_id": video, "source_language": "en", "formats": ["srt", "ass"]}
    assert payload_of(client.post("/api/video/subtitle", json=captions))[0] == "video.subtitle"
    assert payload_of(client.post("/api/video/sample"))[0] == "sample.create"
    assert payload_of(client.post("/api/music/builtin", json={"presets": ["lofi"]}))[0] == "music.builtin"
    assert client.post("/api/music/builtin", json={"presets": ["nonsense"]}).status_code == 422
    assert client.post("/api/settings/models", json={"name": "nonsense"}).status_code == 422


def timeline(source: str) -> dict[str, Any]:
    pieces = [
        {"start_frame": 0, "end_frame": 100, "kept": True, "reason": "speech"},
        {"start_frame": 100, "end_frame": 150, "kept": False, "reason": "silence"},
        {"start_frame": 150, "end_frame": 250, "kept": True, "reason": "speech"},
    ]
    return {
        "source_asset_id": source, "fps": "25", "width": 1280, "height": 720, "duration_frames": 250, "pieces": pieces,
    }  # fmt: skip


def test_timelines_are_stored_corrected_and_rendered(client: httpx.Client, video: str) -> None:
    made = client.post("/api/video/timelines", json={"timeline": timeline(video), "name": "first"})
    assert made.status_code == 201
    stored = made.json()
    where = f"/api/video/timelines/{stored['id']}"
    assert [(piece["start"], piece["end"], piece["kept"]) for piece in stored["pieces"]] == [
        (0, 4, True),
        (4, 6, False),
        (6, 10, True),
    ]
    corrected = timeline(video)
    corrected["pieces"][1]["kept"] = True
    changed = client.put(where, json={"version": 1, "timeline": corrected})
    assert changed.json()["version"] == 2
    assert all(piece["kept"] for piece in changed.json()["pieces"])
    assert client.put(where, json={"version": 1, "name": "late"}).status_code == 409
    assert client.get(where).json()["name"] == "first"
    assert [row["id"] for row in client.get("/api/video/timelines").json()] == [stored["id"]]
    gap = timeline(video)
    gap["pieces"].pop(1)
    assert client.put(where, json={"version": 2, "timeline": gap}).status_code == 422
    moved = {**timeline(video), "duration_frames": 251}
    moved["pieces"][2]["end_frame"] = 251
    assert client.put(where, json={"version": 2, "timeline": moved}).status_code == 422
    kind, payload = payload_of(client.post(where + "/render", json={"target_outputs": [{"aspect_ratio": "4:5"}]}))
    assert (kind, payload["timeline_id"]) == ("video.render", stored["id"])
    details = client.get(f"/api/video/{video}/details").json()
    assert details["timelines"] == [stored["id"]]
    assert details["previews"] == {}
    assert client.delete(where).status_code == 204
    assert client.get(where).status_code == 404


def test_corrections_of_an_analysis_win_and_can_be_taken_back(
    client: httpx.Client, owner: Actor, tmp_path: Path
) -> None:
    song = media(owner, tmp_path, "audio")
    where = f"/api/music/analysis/{song}"
    assert client.get(where).status_code == 404
    measured = {"bpm": 120.0, "key": "A:min", "key_confidence": 0.8, "beats": [0.5, 1.0], "scale": "minor"}
    measured["chords"] = [{"time": 0.0, "end": 1.0, "chord": "Am", "roman": "i"}]
    with database.session() as session:
        session.add(
            AudioAnalysis(owner_id=owner.owner_id, audio_asset_id=song, result=measured, bpm=120.0, key="A:min")
        )
    found = client.get(where).json()
    assert (found["bpm"], found["key"], found["beats"]) == (120.0, "A:min", [0.5, 1.0])
    corrected = client.patch(where, json={"bpm": 60, "key": "C:maj"}).json()
    assert (corrected["bpm"], corrected["key"], corrected["key_confidence"]) == (60, "C:maj", None)
    assert (corrected["scale"], corrected["chords"][0]["roman"]) == ("major", "vi")
    assert corrected["measured"]["bpm"] == 120.0
    back = client.patch(where, json={"bpm": None}).json()
    assert (back["bpm"], back["key"]) == (120.0, "C:maj")
    for impossible in ("H:dur", "E#:maj", "Cb:min"):
        assert client.patch(where, json={"key": impossible}).status_code == 422
    assert client.patch(where, json={"tempo": 60}).status_code == 422


def test_settings_keep_secrets_to_themselves(client: httpx.Client) -> None:
    changed = client.put(
        "/api/settings",
        json={
            "language": "th",
            "timezone": "Asia/Bangkok",
            "currency": "THB",
            "keys": {"GOOGLE_CLIENT_SECRET": "s3cret"},
        },
    ).json()
    assert (changed["language"], changed["timezone"], changed["chosen"]) == ("th", "Asia/Bangkok", True)
    assert changed["keys"] == ["GOOGLE_CLIENT_SECRET"]
    assert "s3cret" not in client.get("/api/settings").text
    assert "s3cret" not in client.get("/api/providers").text
    assert client.put("/api/settings", json={"keys": {"GOOGLE_CLIENT_SECRET": ""}}).json()["keys"] == []
    assert client.put("/api/settings", json={"timezone": "Mars/Olympus"}).status_code == 422
    for unused in ("lower case", "PATH"):
        assert client.put("/api/settings", json={"keys": {unused: "x"}}).status_code == 422
    assert client.put("/api/settings", json={"currency": "ZZZ"}).status_code == 422
    assert client.get("/api/settings").json()["currency"] == "THB"


def test_providers_say_ready_or_why_not(client: httpx.Client) -> None:
    providers = {row["name"]: row for row in client.get("/api/providers").json()}
    assert providers["internal_ffmpeg"]["ready"]
    assert not providers["runway"]["ready"]
    assert providers["runway"]["reason"]
    assert providers["simulated"]["simulated"]


def test_an_episode_is_planned_moved_and_cancelled(client: httpx.Client, video: str) -> None:
    assert client.post("/api/dashboard/channels", json={"name": "Talks", "currency": "XXX"}).status_code == 422
    channel = client.post("/api/dashboard/channels", json={"name": "Talks", "timezone": "Asia/Bangkok"})
    assert channel.status_code == 201
    channel_id = channel.json()["id"]
    series = client.post(f"/api/dashboard/channels/{channel_id}/series", json={"name": "Shorts"}).json()
    account = client.post("/api/publishing/simulated/account").json()
    linked = client.post(
        f"/api/dashboard/channels/{channel_id}/accounts", json={"platform_account_id": account["id"]}
    ).json()
    assert [(link["role"], link["account"]["is_simulated"]) for link in linked] == [("primary", True)]
    episode = client.post(
        "/api/dashboard/episodes",
        json={"title": "One", "channel_id": channel_id, "series_id": series["id"], "asset_id": video},
    ).json()
    assert client.patch(f"/api/dashboard/episodes/{episode['id']}", json={"title": "Two"}).json()["title"] == "Two"
    listed = client.get(f"/api/dashboard/series/{series['id']}/episodes").json()
    assert [row["id"] for row in listed] == [episode["id"]]
    target = {"platform_account_id": account["id"], "scheduled_time": "2031-05-01T18:00"}
    plan = {"episode_id": episode["id"], "targets": [target]}
    assert client.post("/api/publishing/check", json=plan).status_code == 200
    made = client.post("/api/publishing/plan", json=plan)
    assert made.status_code == 201, made.text
    publication = made.json()[0]
    assert publication["due_at"].startswith("2031-05-01T11:00")
    where = f"/api/publishing/publication/{publication['id']}"
    moved = client.post(where + "/reschedule", json={"scheduled_time": "2031-05-02T18:00", "version": 1}).json()
    assert moved["due_at"].startswith("2031-05-02T11:00")
    late = client.post(where + "/reschedule", json={"scheduled_time": "2031-05-03T18:00", "version": 1})
    assert late.status_code == 409
    for impossible in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "soon"):
        answer = client.post(where + "/reschedule", json={"scheduled_time": impossible})
        assert (answer.status_code, answer.json()["title"]) == (422, "That is not a time.")
    assert client.post(where + "/cancel").json()["state"] == "cancelled"
    assert client.get(where).json()["history"] == []
    for state, count in (("cancelled", 1), ("scheduled", 0)):
        assert len(client.get("/api/publishing/publications", params={"state": state}).json()) == count
    both = client.get("/api/publishing/publications", params={"state": ["cancelled", "scheduled"]})
    assert len(both.json()) == 1
    of_episode = client.get(f"/api/publishing/episode/{episode['id']}").json()
    assert [row["state"] for row in of_episode] == ["cancelled"]
    links, link = f"/api/dashboard/channels/{channel_id}/accounts", {"platform_account_id": account["id"]}
    assert client.delete(links, params=link).status_code == 204
    assert client.get(links).json() == []
    assert len(client.post(links, json=link).json()) == 1
    assert client.delete(f"{links}/{account['id']}").status_code == 204
    assert client.get(f"/api/dashboard/channels/{channel_id}").json()["accounts"] == []


def test_a_token_that_ends_beyond_all_calendars_is_refused(client: httpx.Client) -> None:
    for moment in (1e300, "9999-12-31T23:59:59-14:00", -1e18):
        tokens = {"access_token": "t", "expires_at": moment}
        account = {"platform": "youtube", "external_id": "UC1", "name": "n", "auth_config": tokens}
        assert client.post("/api/publishing/accounts", json=account).status_code == 422


def test_days_of_the_overview_are_never_ignored(client: httpx.Client) -> None:
    where = "/api/dashboard/overview"
    asked = client.get(where, params={"start": "2026-01-01", "end": "2026-02-01"}).json()
    assert (asked["start"], asked["end"]) == ("2026-01-01", "2026-02-01")
    for wrong in (
        {"start": "2026-02-01", "end": "2026-01-01"},
        {"start": "2026-02-01"},
        {"start": "2026-01-01", "end": "2026-02-01", "range": "last_7d"},
        {"platform": "nowhere"},
    ):
        assert client.get(where, params=wrong).status_code == 422


def test_accounts_never_show_tokens(client: httpx.Client) -> None:
    tokens = {"access_token": "ya29.secret", "refresh_token": "1//secret", "expires_at": "2031-01-01T00:00:00Z"}
    wanted = {"platform": "youtube", "external_id": "UC1", "name": "Mine", "auth_config": tokens}
    made = client.post("/api/publishing/accounts", json=wanted)
    assert made.status_code == 201
    assert "secret" not in made.text + client.get("/api/publishing/accounts").text
    assert client.delete(f"/api/publishing/accounts/{made.json()['id']}").status_code == 204
    assert client.get("/api/publishing/accounts").json() == []


def test_connecting_goes_to_the_consent_page_and_only_a_known_state_comes_back(
    client: httpx.Client, served: Served
) -> None:
    unconfigured = client.get("/api/publishing/accounts/youtube/connect")
    assert unconfigured.status_code == 503
    assert unconfigured.json()["setting"] == "GOOGLE_CLIENT_ID"
    client.put("/api/settings", json={"keys": {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret"}})
    going = client.get("/api/publishing/accounts/youtube/connect")
    assert going.status_code == 303
    target = httpx.URL(going.headers["location"])
    assert target.params["redirect_uri"] == served.url + "/api/publishing/accounts/youtube/callback"
    with served.client() as browser:
        forged = browser.get("/api/publishing/accounts/youtube/callback", params={"state": "guessed", "code": "x"})
        assert forged.headers["location"] == "/publishing?connection=expired&platform=youtube"
        declined = browser.get("/api/publishing/accounts/youtube/callback", params={"error": "access_denied"})
        assert declined.headers["location"] == "/publishing?connection=declined&platform=youtube"


def test_translations_need_an_engine_and_name_what_is_missing(client: httpx.Client, video: str) -> None:
    order = {"video_asset_id": video, "source_language": "en", "target_languages": ["th"]}
    assert "m2m100-418m" in str(client.post("/api/video/subtitle", json=order).json())
    assert client.post("/api/video/subtitle", json=order).status_code == 503
    hosted = client.post("/api/video/subtitle", json={**order, "translation_provider": "hosted"})
    assert hosted.status_code == 503
    assert "TRANSLATION_API_KEY" in hosted.text
    same = client.post("/api/video/subtitle", json={**order, "target_languages": ["en-GB"]})
    assert same.status_code == 202
    piece = {"video_asset_id": video, "start": 0, "end": 1}
    ads = {"hooks": [piece], "bodies": [piece], "target_outputs": [{"platform": "tiktok"}], "source_language": "en"}
    assert client.post("/api/video/ads", json={**ads, "languages": ["th"]}).status_code == 503
    assert payload_of(client.post("/api/video/ads", json={**ads, "languages": ["en"]}))[0] == "video.ads"
    many = {**ads, "hooks": [piece] * 10, "bodies": [piece] * 10}
    assert "100 videos" in client.post("/api/video/ads", json=many).text
    chapters = {"source_video_id": video, "dry_run": True}
    assert payload_of(client.post("/api/video/chapters", json=chapters))[0] == "video.chapters"
