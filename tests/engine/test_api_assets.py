"""The library over HTTP: play with ranges, safe downloads, ZIP, rename, delete, lineage (P1.3, H8)."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from core import assets, database
from core.assets import StagedAsset
from core.models.base import uuid7
from core.security import Actor
from core.settings import Settings
from core.storage import asset_key, sha256_of, storage
from tests.engine.api_server import Served, serve


@pytest.fixture
def served(studio: Settings) -> Iterator[Served]:
    with serve() as found:
        yield found


@pytest.fixture
def client(served: Served, owner: Actor) -> Iterator[httpx.Client]:
    with served.client(owner) as found:
        yield found


def store(
    actor: Actor,
    folder: Path,
    data: bytes,
    name: str,
    mime_type: str,
    *,
    kind: str = "video",
    parents: dict[str, str] | None = None,
    hidden: bool = False,
) -> str:
    """An asset with these bytes."""
    asset_id = uuid7()
    path = folder / asset_id.hex
    path.write_bytes(data)
    key, digest = asset_key(asset_id, Path(name).suffix), sha256_of(path)
    storage().put(path, key)
    staged = StagedAsset(
        str(asset_id), kind, name, key, len(data), digest, mime_type, parents or {}, fps="30000/1001", hidden=hidden
    )
    with database.session(actor) as session:
        assets.add(session, actor.owner_id, staged)
    return str(asset_id)


DATA = os.urandom(100_000)


@pytest.fixture
def video(owner: Actor, tmp_path: Path) -> str:
    return store(owner, tmp_path, DATA, "talk.mp4", "video/mp4")


def test_shape(client: httpx.Client, video: str) -> None:
    body = client.get(f"/api/assets/{video}").json()
    assert set(body) >= {
        "id",
        "kind",
        "name",
        "mime_type",
        "size_bytes",
        "sha256",
        "duration_seconds",
        "width",
        "height",
        "fps",
        "has_audio",
        "loudness_lufs",
        "parent_asset_ids",
        "job_id",
        "metadata",
        "created_at",
    }
    assert body["fps"] == pytest.approx(29.97003)
    assert client.get("/api/assets").json() == [body]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=500-", 500, 100_000), ("bytes=-10", 99_990, 100_000), ("bytes=7-7", 7, 8)],
)
def test_ranges(client: httpx.Client, video: str, asked: str, start: int, end: int) -> None:
    answer = client.get(f"/api/assets/{video}/content", headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == DATA[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/100000"


def test_whole_conditional_and_impossible(client: httpx.Client, video: str) -> None:
    path = f"/api/assets/{video}/content"
    whole = client.get(path)
    assert whole.content == DATA
    assert whole.headers["accept-ranges"] == "bytes"
    assert client.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    behind = client.get(path, headers={"Range": "bytes=100000-"})
    assert (behind.status_code, behind.headers["content-range"]) == (416, "bytes */100000")
    assert (behind.headers["content-type"], behind.json()["status"]) == ("application/problem+json", 416)
    for strange in ("items=0-5", "bytes=abc", "bytes=9-3", "bytes", "bytes=--5", "bytes=1-2-3", "bytes="):
        ignored = client.get(path, headers={"Range": strange})
        assert (ignored.status_code, len(ignored.content)) == (200, 100_000), strange
    head = client.head(path)
    assert (head.content, head.headers["content-length"]) == (b"", "100000")
    assert client.head(path, headers={"Range": "bytes=0-9"}).status_code == 200
    stale = client.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (stale.status_code, len(stale.content)) == (200, 100_000)


@pytest.mark.parametrize(
    ("mime_type", "inline"),
    [("video/mp4", True), ("text/vtt", True), ("image/svg+xml", False), ("text/html", False), ("text/x-ssa", False)],
)
def test_only_harmless_types_open_in_the_page(
    client: httpx.Client, owner: Actor, tmp_path: Path, mime_type: str, inline: bool
) -> None:
    asset_id = store(owner, tmp_path, b"<script>alert(1)</script>", "x.bin", mime_type, kind="document")
    answer = client.get(f"/api/assets/{asset_id}/content")
    assert answer.headers["content-disposition"].startswith("inline" if inline else "attachment")
    assert answer.headers["content-type"].split(";")[0] == (mime_type if inline else "application/octet-stream")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    download = client.get(f"/api/assets/{asset_id}/content?download=1")
    assert download.headers["content-disposition"].startswith("attachment")


def test_zip_holds_every_file_under_its_own_name(client: httpx.Client, owner: Actor, tmp_path: Path) -> None:
    ids = [
        store(owner, tmp_path, f"{n}".encode() * 1000, name, "video/mp4")
        for n, name in enumerate(("คลิป.mp4", "clip.mp4", "CLIP.mp4", "clip.mp4"))
    ]
    answer = client.get("/api/assets/zip", params={"ids": ",".join(ids)})
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.namelist() == ["คลิป.mp4", "clip.mp4", "CLIP (2).mp4", "clip (3).mp4"]
    assert [archive.read(name) for name in archive.namelist()] == [f"{n}".encode() * 1000 for n in range(4)]
    assert client.get("/api/assets/zip", params={"ids": str(uuid7())}).status_code == 404
    assert client.get("/api/assets/zip", params={"ids": ""}).status_code == 422


def test_search_paging_and_hidden_helpers(client: httpx.Client, owner: Actor, tmp_path: Path) -> None:
    for number in range(5):
        store(owner, tmp_path, b"x", f"talk 100% {number}.mp4", "video/mp4")
    store(owner, tmp_path, b"x", "poster.jpg", "image/jpeg", kind="image", hidden=True)
    page = client.get("/api/assets", params={"search": "100%", "limit": 2, "offset": 1})
    assert page.headers["x-total-count"] == "5"
    assert [row["name"] for row in page.json()] == ["talk 100% 3.mp4", "talk 100% 2.mp4"]
    assert client.get("/api/assets", params={"kind": "image"}).json() == []
    assert len(client.get("/api/assets", params={"kind": "image", "include_hidden": True}).json()) == 1
    assert client.get("/api/assets", params={"kind": "nonsense"}).status_code == 422


def test_rename_lineage_and_delete(client: httpx.Client, owner: Actor, tmp_path: Path, video: str) -> None:
    child = store(owner, tmp_path, b"y", "short.mp4", "video/mp4", parents={video: "source"})
    assert client.patch(f"/api/assets/{child}", json={"name": "../a/b.mp4"}).json()["name"] == "b.mp4"
    assert client.get(f"/api/assets/{child}").json()["parent_asset_ids"] == [video]
    family = client.get(f"/api/assets/{video}/lineage").json()
    assert [(row["role"], row["asset"]["id"]) for row in family["children"]] == [("source", child)]
    kept = client.delete(f"/api/assets/{video}")
    assert kept.status_code == 409
    assert "b.mp4" in kept.json()["detail"]
    with database.session() as session:
        paths = [assets.path_of(assets.get(session, UUID(key))) for key in (video, child)]
    assert client.delete(f"/api/assets/{video}?with_dependants=true").status_code == 204
    assert client.get(f"/api/assets/{child}").status_code == 404
    assert not any(path.exists() for path in paths)


def test_a_draft_goes_with_its_file_and_a_scheduled_post_keeps_it(
    client: httpx.Client, owner: Actor, tmp_path: Path, video: str
) -> None:
    child = store(owner, tmp_path, b"y", "short.mp4", "video/mp4", parents={video: "source"})
    draft = client.post("/api/dashboard/episodes", json={"title": "Draft", "asset_id": child}).json()
    account = client.post("/api/publishing/simulated/account").json()
    target = {"platform_account_id": account["id"], "scheduled_time": "2031-05-01T18:00"}
    planned = client.post("/api/publishing/plan", json={"episode_id": draft["id"], "targets": [target]}).json()[0]
    for asset_id in (child, video):
        kept = client.delete(f"/api/assets/{asset_id}?with_dependants=true")
        assert kept.status_code == 409
        assert kept.json()["title"] == "This file is about to be published."
    client.post(f"/api/publishing/publication/{planned['id']}/cancel")
    assert client.delete(f"/api/assets/{video}").status_code == 409
    assert client.get(f"/api/dashboard/episodes/{draft['id']}").json()["state"] == "draft"
    assert client.delete(f"/api/assets/{video}?with_dependants=true").status_code == 204
    assert client.get(f"/api/dashboard/episodes/{draft['id']}").json()["state"] == "discarded"
