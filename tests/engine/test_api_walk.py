"""Every endpoint, found through the OpenAPI document: strangers get 404, nobody gets 401, viewers change nothing.

A new route is walked as soon as it exists. One with an identifier the walk does not know fails until
:func:`_belongings` makes one.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.application import api
from core import database, jobs
from core.models.advisor import AdvisorQuery, Conversation
from core.models.assets import Asset, AudioAnalysis, MediaAnalysis, StemGroup, TimelineRow, Upload
from core.models.base import uuid7
from core.models.business import CostEntry, FxRate, RevenueRecord
from core.models.identity import Project, User
from core.models.publishing import (
    ContentChannel,
    Episode,
    Pipeline,
    PipelineRun,
    PlatformAccount,
    PublicationRecord,
    Series,
)
from core.publishing.pipelines.document import RunDocument
from core.publishing.pipelines.recipe import Recipe
from core.security import Actor, actor_of
from core.settings import Settings
from core.video.payloads import IngestInput
from tests.engine.api_server import Served, serve, token_of

JSON = {"Content-Type": "application/json"}
SCHEMA = api.openapi()
METHODS = ("get", "put", "post", "delete", "patch", "head")
STREAMS = {"/events"}
# A viewer may look after their own sign-in and their own language.
OWN_THINGS = {("delete", "/sessions"), ("put", "/sessions/password"), ("put", "/settings")}
# Questions that need a request body; a viewer may ask.
READS = {("post", "/publishing/check"), ("post", "/advisor/ask")}


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def open(self) -> bool:
        return self.spec.get("security") == []

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return list(self.spec.get("parameters", []))

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


OPERATIONS = [
    Operation(method, path, spec)
    for path, item in SCHEMA["paths"].items()
    for method, spec in item.items()
    if method in METHODS
]


@pytest.fixture
def served(studio: Settings) -> Iterator[Served]:
    with serve() as found:
        yield found


def _belongings(actor: Actor) -> dict[str, str]:
    """One of everything, by the names paths and bodies call them."""
    owner_id = actor.owner_id
    upload_id = uuid7().hex
    with database.session(actor) as session:
        video = Asset(
            owner_id=owner_id, kind="video", name="talk.mp4", mime_type="video/mp4", size_bytes=1, sha256="0" * 64,
            storage_key=f"00/{uuid7()}", has_audio=True, duration_seconds=10.0, width=1280, height=720, fps="25",
        )  # fmt: skip
        channel = ContentChannel(owner_id=owner_id, name=f"channel {uuid7()}")
        account = PlatformAccount(
            owner_id=owner_id, platform="simulated", external_id=str(uuid7()), name="a", is_simulated=True
        )
        project = Project(owner_id=owner_id, name="p")
        session.add_all(
            [video, channel, account, project, Upload(id=upload_id, owner_id=owner_id, name="a", size_bytes=9)]
        )
        session.flush()
        waveform = {"peaks": [0.5], "per_second": 50.0}
        session.add(MediaAnalysis(owner_id=owner_id, sha256=video.sha256, kind="peaks", result=waveform))
        timeline = TimelineRow(owner_id=owner_id, source_asset_id=video.id, document=_timeline(str(video.id)))
        series = Series(owner_id=owner_id, channel_id=channel.id, name="s")
        stems = dict.fromkeys(("vocal", "drums", "bass", "other"), str(video.id))
        group = StemGroup(owner_id=owner_id, audio_asset_id=video.id, provider="builtin", stems=stems)
        session.add_all([timeline, series, group, AudioAnalysis(owner_id=owner_id, audio_asset_id=video.id, result={})])
        session.flush()
        episode = Episode(owner_id=owner_id, channel_id=channel.id, series_id=series.id, title="e", asset_id=video.id)
        session.add(episode)
        session.flush()
        publication = PublicationRecord(
            owner_id=owner_id, episode_id=episode.id, account_id=account.id, platform="simulated", is_simulated=True,
            title="t", asset_id=video.id,
        )  # fmt: skip
        session.add(publication)
        recipe = Recipe.model_validate({"targets": [{"platform_account_id": account.id}]})
        document = RunDocument(recipe=recipe, needs_approval=True, channel_id=channel.id, series_id=series.id)
        pipeline = Pipeline(
            owner_id=owner_id, name=f"recipe {uuid7()}", channel_id=channel.id, recipe=recipe.model_dump(mode="json")
        )
        session.add(pipeline)
        session.flush()
        run = PipelineRun(
            owner_id=owner_id, pipeline_id=pipeline.id, source_asset_id=video.id, state="awaiting_approval",
            step="approve", result=document.stored(),
        )  # fmt: skip
        session.add(run)
        job = jobs.submit(session, actor, "ingest", IngestInput(asset_id=video.id))
        money = {"owner_id": owner_id, "episode_id": episode.id, "amount": Decimal(5), "currency": "USD"}
        day = date(2026, 1, 5)
        cost = CostEntry(entry_ref=uuid7(), category="other", incurred_on=day, **money)
        revenue = RevenueRecord(source="manual", external_ref="r", kind="finalised", earned_on=day, **money)
        rate = FxRate(owner_id=owner_id, base="USD", quote="THB", on_date=day, rate=Decimal(33), source="manual")
        conversation = Conversation(owner_id=owner_id, title="c")
        query = AdvisorQuery(owner_id=owner_id, name="q", statement="SELECT 1")
        session.add_all([cost, revenue, rate, conversation, query])
        session.flush()
        rows = {
            "cost_id": cost, "revenue_id": revenue, "rate_id": rate, "conversation_id": conversation,
            "query_id": query, "stem_group_id": group, "pipeline_id": pipeline, "run_id": run,
            "asset_id": video, "channel_id": channel, "series_id": series, "episode_id": episode, "job_id": job,
            "account_id": account, "publication_id": publication, "timeline_id": timeline, "project_id": project,
        }  # fmt: skip
        found = {name: str(row.id) for name, row in rows.items()}
    aliases = ("audio_asset_id", "source_asset_id", "source_video_id", "video_asset_id", "music_asset_id")
    found |= dict.fromkeys((*aliases, "thumbnail_asset_id", "ids"), found["asset_id"])
    return found | {"upload_id": upload_id, "uuid": upload_id, "platform_account_id": found["account_id"]}


def _timeline(source: str) -> dict[str, Any]:
    piece = {"start_frame": 0, "end_frame": 250, "kept": True, "reason": "speech"}
    return {
        "source_asset_id": source, "fps": "25", "width": 1280, "height": 720, "duration_frames": 250, "pieces": [piece],
    }  # fmt: skip


def example(schema: dict[str, Any], name: str, mine: dict[str, str]) -> Any:
    """The smallest value a JSON schema allows, with identifiers taken from ``mine`` by their field's name."""
    if "$ref" in schema:
        model = schema["$ref"].rpartition("/")[2]
        if model.startswith("Timeline") and "pieces" in SCHEMA["components"]["schemas"][model]["properties"]:
            return _timeline(mine["asset_id"])
        if model.startswith("TargetOutput"):
            return {"aspect_ratio": "9:16"}
        if model == "RemasterInput":
            return {"audio_asset_id": mine["asset_id"], "operations": [{"type": "eq", "preset": "warm"}]}
        if model in ("CostIn", "RevenueIn"):  # exactly one of the things money may belong to
            mine = {"episode_id": mine["episode_id"]}
        if model == "GenerateMusicInput":
            return {"prompt": "calm piano"}
        if model == "GenerateInput":  # exactly one of the things a video may be made of
            return {"prompt": "x", "music_asset_id": mine["asset_id"]}
        return example(SCHEMA["components"]["schemas"][model], name, mine)
    for key in ("const", "default", "example"):
        if schema.get(key) is not None:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return example(schema[key][0], name, mine)
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        wanted = [key for key in properties if key in schema.get("required", []) or key in mine]
        return {key: example(properties[key], key, mine) for key in wanted}
    if kind == "array":
        return [example(schema.get("items", {}), name, mine)] if schema.get("minItems", 0) or name in mine else []
    if schema.get("format") == "uuid":
        return mine[name]
    if kind == "string":
        return _text(schema, name)
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return False


def _text(schema: dict[str, Any], name: str) -> str:
    if "date" in schema.get("format", ""):
        return "2030-01-01T00:00:00Z" if schema["format"] == "date-time" else "2030-01-01"
    known = {"email": "somebody@example.com", "password": "long enough to pass", "scheduled_time": "now"}
    return known.get(name, {"platform": "youtube", "key": "C:maj"}.get(name, "x" * max(1, schema.get("minLength", 1))))


def request(client: httpx.Client, operation: Operation, mine: dict[str, str], **headers: str) -> httpx.Response:
    """The operation with the smallest valid parameters and body."""
    path, query = operation.path, {}
    for parameter in operation.parameters:
        name = parameter["name"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", mine.get(name) or example(parameter["schema"], name, mine))
        elif parameter["in"] == "query" and (parameter.get("required") or name in mine):
            query[name] = mine.get(name) or example(parameter["schema"], name, mine)
    body = operation.spec.get("requestBody", {}).get("content", {}).get("application/json")
    tus = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    if "/uploads" in path:
        return client.request(operation.method, f"/api{path}", headers={**tus, "Upload-Length": "5", **headers})
    if "multipart/form-data" in operation.spec.get("requestBody", {}).get("content", {}):
        files = {"file": ("table.csv", b"date,amount\n", "text/csv")}
        return client.request(operation.method, f"/api{path}", params=query, files=files, headers=headers)
    content = example(body["schema"], "", mine) if body else None
    return client.request(operation.method, f"/api{path}", params=query, json=content, headers=headers)


def names_something(operation: Operation, mine: dict[str, str]) -> bool:
    """Whether the operation, as the walk sends it, refers to a row."""
    body = operation.spec.get("requestBody", {}).get("content", {}).get("application/json")
    sent = str(example(body["schema"], "", mine)) if body else ""
    in_path = any(f"{{{name}}}" in operation.path for name in mine)
    return in_path or any(value in sent for value in mine.values()) or operation.path == "/assets/zip"


def refused(answer: httpx.Response, status: int, operation: Operation) -> None:
    assert answer.status_code == status, f"{operation}: {answer.status_code} {answer.text[:300]}"
    if operation.method != "head":
        assert answer.headers["content-type"] == "application/problem+json", str(operation)
        body = answer.json()
        assert body["status"] == status
        assert body["title"]
        assert "Traceback" not in answer.text


def test_every_identifier_is_known_to_the_walk(owner: Actor) -> None:
    mine = _belongings(owner)
    for operation in OPERATIONS:
        for parameter in operation.parameters:
            if parameter["in"] == "path" and parameter["schema"].get("format") == "uuid":
                assert parameter["name"] in mine, f"{operation}: {parameter['name']}"


def test_without_credentials_everything_but_the_open_doors_is_401(served: Served, owner: Actor) -> None:
    mine = _belongings(owner)
    doors = sorted(str(operation) for operation in OPERATIONS if operation.open)
    assert doors == [
        "GET /health",
        "GET /publishing/accounts/{platform}/callback",
        "GET /publishing/webhook/{platform}",
        "POST /publishing/webhook/{platform}",
        "POST /sessions",
    ]
    with served.client() as nobody:
        for operation in OPERATIONS:
            if not operation.open:
                refused(request(nobody, operation, mine, Origin=served.url), 401, operation)
        for path in ("/api/docs", "/api/openapi.json", "/api/docs/start.js"):
            assert nobody.get(path).status_code == 401
        wrong = {"Authorization": "Bearer cs_wrong"}
        assert nobody.get("/api/jobs", headers=wrong).status_code == 401


def test_a_strangers_identifiers_do_not_exist(served: Served, owner: Actor, other_owner: Actor) -> None:
    mine = _belongings(owner)
    walked = 0
    with served.client(other_owner) as stranger:
        for operation in OPERATIONS:
            if operation.open or operation.path in STREAMS:
                continue
            answer = request(stranger, operation, mine)
            if names_something(operation, mine):
                walked += 1
                refused(answer, 404, operation)
            else:
                for value in set(mine.values()):
                    assert value not in answer.text, str(operation)
    assert walked >= 40


def test_the_owner_finds_their_own(served: Served, owner: Actor) -> None:
    """The same requests by the owner: what the strangers' 404 above is worth."""
    mine = _belongings(owner)
    without_file = {"/assets/zip", "/assets/{asset_id}/content"}
    with served.client(owner) as client:
        for operation in OPERATIONS:
            if operation.method != "get" or operation.open or operation.path in STREAMS | without_file:
                continue
            if operation.path.endswith("/connect"):
                continue
            answer = request(client, operation, mine)
            expected = 409 if operation.path == "/uploads/{upload_id}/asset" else 200
            assert answer.status_code == expected, f"{operation}: {answer.text[:300]}"


def test_a_viewer_changes_nothing(served: Served, owner: Actor) -> None:
    mine = _belongings(owner)
    with database.session() as session:
        user = User(role="viewer", name="viewer", studio_owner_id=owner.owner_id)
        session.add(user)
        session.flush()
        viewer = actor_of(user)
    with served.client(viewer) as client:
        for operation in OPERATIONS:
            key = (operation.method, operation.path)
            if operation.method in ("get", "head") or operation.open or key in OWN_THINGS:
                continue
            answer = request(client, operation, mine)
            if key in READS:
                assert answer.status_code == 200
            else:
                refused(answer, 403, operation)
        assert client.put("/api/settings", json={"keys": {"GOOGLE_CLIENT_ID": "x"}}).status_code == 403
        assert client.get("/api/metrics").status_code == 403
        assert len(client.get("/api/assets").json()) == 1


def test_unknown_paths_methods_and_bodies_are_problems(served: Served, owner: Actor) -> None:
    with served.client(owner) as client:
        for answer, status in (
            (client.get("/api/nothing"), 404),
            (client.post("/api/health"), 405),
            (client.get("/api/jobs/not-an-id"), 404),
            (client.get(f"/api/jobs/{UUID(int=0)}"), 404),
            (client.post("/api/video/edit", json={"nonsense": 1}), 422),
            (client.post("/api/video/edit", content=b"{", headers={"Content-Type": "application/json"}), 422),
            (client.post("/api/video/edit", content=b'{"a": "\xff"}', headers=JSON), 400),
            (client.post("/api/video/edit", content=b"[" * 100_000, headers=JSON), 400),
            (client.post("/api/video/edit", content=b"{}", headers={"Content-Type": "text/plain"}), 415),
            (client.post("/api/video/generate", json={}), 422),
            (client.post("/api/audio/podcast", json={}), 422),
            (client.get(f"/api/video/timelines/{UUID(int=0)}/export?format=otio"), 404),
        ):
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == status
            assert answer.json()["title"]
            assert answer.json()["detail"]


def test_what_a_number_or_a_text_cannot_be_is_named_with_its_place(served: Served, owner: Actor) -> None:
    with served.client(owner) as client:
        for body, place in (
            (b'{"name": "a\\u0000b"}', "name"),
            (b'{"name": "a\\ud800b"}', "name"),
            (b'{"name": "a", "is_default": NaN}', "is_default"),
            (b'{"name": ["a", {"b": 1e999}]}', "name/1/b"),
        ):
            answer = client.post("/api/dashboard/channels", content=body, headers=JSON)
            assert (answer.status_code, answer.json()["detail"]) == (422, place)
        assert client.get("/api/assets", params={"search": "a\x00"}).status_code == 422
        assert client.post("/api/dashboard/channels", json={"name": "สระอา 🎬\n"}).status_code == 201


HOSTILE: tuple[Any, ...] = (
    *("", " ", "\x01", "\u202e", "%_\\", "'; --", "../../etc", "${x}{{7*7}}", "=1+1", "9" * 400, "🎬" * 300),
    *("9999-12-31", "0001-01-01", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
    *(None, True, -1, 10**30, 1e308, -1e-300, [], {}, [[]], {"a": []}),
)


def test_hostile_values_are_refused_or_kept_but_never_a_fault(served: Served, owner: Actor) -> None:
    """Every parameter and every field of every body holds two strange values in turn, while the others stay valid.
    The values go round, so that a field meets others whenever one is added anywhere before it."""
    mine = _belongings(owner)
    values = itertools.cycle(HOSTILE)
    sent = 0
    with served.client(owner) as client:
        for operation in OPERATIONS:
            if operation.path in STREAMS or "/uploads" in operation.path:
                continue
            for answer in _spoilt(client, operation, mine, values):
                sent += 1
                assert answer.status_code < 500 or answer.json()["type"] == "not-configured", (
                    f"{operation}: {answer.status_code} {answer.text[:300]} for {answer.request.url} "
                    f"{answer.request.content[:300]!r}"
                )
    assert sent > 300


def _spoilt(
    client: httpx.Client, operation: Operation, mine: dict[str, str], values: Iterator[Any]
) -> Iterator[httpx.Response]:
    path = f"/api{operation.path}".replace("{platform}", "youtube")
    for name, value in mine.items():
        path = path.replace(f"{{{name}}}", value)
    for parameter in operation.parameters:
        if parameter["in"] == "query":
            for value in (next(values), next(values)):
                yield client.request(operation.method, path, params={parameter["name"]: str(value)})
    body = operation.spec.get("requestBody", {}).get("content", {}).get("application/json")
    if body is None:
        return
    valid = example(body["schema"], "", mine)
    for name in SCHEMA["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]["properties"]:
        for value in (next(values), next(values)):
            yield client.request(operation.method, path, json={**valid, name: value})


def test_problems_are_told_in_thai_to_who_prefers_it(served: Served, owner: Actor) -> None:
    with served.client(owner) as client:
        for language, title in (("th-TH,th;q=0.9,en;q=0.5", "ไม่พบสิ่งนี้"), ("en,th;q=0.5", "That does not exist.")):
            answer = client.get(f"/api/jobs/{UUID(int=0)}", headers={"Accept-Language": language})
            assert answer.json()["title"] == title
            assert answer.headers["content-language"] == language[:2]


def test_a_fault_of_ours_tells_nothing(served: Served, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("core.assets.search", broken)
    with served.client(owner) as client:
        answer = client.get("/api/assets")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_documentation_is_served_from_here(served: Served, owner: Actor) -> None:
    with served.client(owner) as client:
        page = client.get("/api/docs")
        assert "/vendor/swagger-ui-dist/swagger-ui-bundle.js" in page.text
        assert "http" not in page.text.replace("http-equiv", "")
        assert client.get("/api/openapi.json").json()["servers"] == [{"url": "/api"}]


def test_metrics_and_health(served: Served, owner: Actor) -> None:
    _belongings(owner)
    with served.client(owner) as client:
        figures = client.get("/api/metrics").text
        assert 'studio_jobs{kind="ingest",status="queued"} 1.0' in figures
        assert 'studio_queue_length{queue="default"} 1.0' in figures
        assert 'studio_request_seconds_count{method="GET"' in client.get("/api/metrics").text
        health = client.get("/api/health")
        assert health.status_code == 503  # this test runs no workers
        assert health.json() == {
            "status": "failing", "database": "ok", "redis": "ok", "workers": "failing", "disk": "ok"
        }  # fmt: skip


def test_many_at_once_do_not_block_each_other(served: Served, owner: Actor) -> None:
    """Sixty clients share ten database connections and forty threads."""
    job_id = _belongings(owner)["job_id"]
    statuses: list[int] = []
    token = token_of(owner)

    def ask() -> None:
        with httpx.Client(base_url=served.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            statuses.extend(
                client.get(path).status_code for path in ("/api/jobs", f"/api/jobs/{job_id}", "/api/assets")
            )

    threads = [threading.Thread(target=ask) for _ in range(60)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 180
    assert time.monotonic() - started < 25
