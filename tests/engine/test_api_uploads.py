"""Resumable uploads and small files: whole on disk, resumed after a kill, scoped, refused with a sentence (H8)."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from api.upload_storage import Writer
from api.uploads import sweep
from core import database
from core.models.assets import Upload
from core.models.jobs import Job
from core.security import Actor
from core.settings import Settings, get_settings
from tests.engine.api_server import Served, serve, token_of

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def served(studio: Settings) -> Iterator[Served]:
    with serve() as found:
        yield found


@pytest.fixture
def client(served: Served, owner: Actor) -> Iterator[httpx.Client]:
    with served.client(owner) as found:
        yield found


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Three seconds of noise: 288,044 bytes that are a real recording."""
    path = tmp_path / "noise.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(os.urandom(2 * 48000 * 3))
    return path


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def create(client: httpx.Client, size: int, name: str = "noise.wav", **headers: str) -> httpx.Response:
    return client.post(
        "/api/uploads",
        headers={**TUS, "Upload-Length": str(size), "Upload-Metadata": f"filename {b64(name)}".strip(), **headers},
    )


def patch(client: httpx.Client, where: str, offset: int, body: bytes) -> httpx.Response:
    return client.patch(where, headers={**BYTES, "Upload-Offset": str(offset)}, content=body)


def test_upload_in_pieces_becomes_a_probed_asset(client: httpx.Client, served: Served, sound: Path) -> None:
    data = sound.read_bytes()
    made = create(client, len(data))
    assert made.status_code == 201
    where = made.headers["location"]
    assert where.startswith(served.url + "/api/uploads/")
    assert patch(client, where, 0, data[:100_000]).headers["upload-offset"] == "100000"
    assert client.head(where, headers=TUS).headers["upload-offset"] == "100000"
    listed = client.get("/api/uploads").json()
    assert [(row["name"], row["offset"], row["size_bytes"]) for row in listed] == [("noise.wav", 100000, len(data))]
    assert client.get(where + "/asset").status_code == 409
    assert patch(client, where, 100_000, data[100_000:]).status_code == 204

    asset = client.get(where + "/asset").json()
    assert asset["id"].replace("-", "") == where.rpartition("/")[2]
    assert asset["sha256"] == hashlib.sha256(data).hexdigest()
    assert (asset["kind"], asset["name"], asset["mime_type"]) == ("audio", "noise.wav", "audio/wav")
    assert asset["duration_seconds"] == pytest.approx(3.0, abs=0.01)
    assert asset["has_audio"]
    finished = client.head(where, headers=TUS)
    assert finished.headers["upload-offset"] == finished.headers["upload-length"] == str(len(data))
    assert client.get("/api/uploads").json() == []
    assert not any(get_settings().uploads_dir.iterdir())
    with database.session() as session:
        assert [job.kind for job in session.scalars(select(Job))] == ["ingest"]


def test_offset_must_match(client: httpx.Client) -> None:
    where = create(client, 10).headers["location"]
    assert patch(client, where, 0, b"12345").status_code == 204
    for offset in (0, 4, 6):
        assert patch(client, where, offset, b"x").status_code == 409
    assert patch(client, where, 5, b"too many bytes").status_code in (400, 413)
    assert client.head(where, headers=TUS).headers["upload-offset"] == "5"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Tus-Resumable": None}, 412),
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Content-Type": "application/json"}, 415),
        ({"Content-Type": None}, 415),
        ({"Upload-Length": "10"}, 400),
        ({"Upload-Offset": None}, 400),
        ({"Upload-Offset": "five"}, 400),
    ],
)
def test_a_refused_piece_is_not_written(client: httpx.Client, change: dict[str, str | None], status: int) -> None:
    where = create(client, 10).headers["location"]
    headers = {name: value for name, value in {**BYTES, "Upload-Offset": "0", **change}.items() if value is not None}
    refusal = client.patch(where, headers=headers, content=b"12345")
    assert refusal.status_code == status
    assert refusal.headers["content-type"] == "application/problem+json"
    assert refusal.json()["detail"]
    assert refusal.headers["tus-resumable"] == "1.0.0"
    assert client.head(where, headers=TUS).headers["upload-offset"] == "0"


def test_a_piece_in_chunks_of_unknown_length(client: httpx.Client) -> None:
    where = create(client, 10).headers["location"]
    answer = client.patch(where, headers={**BYTES, "Upload-Offset": "0"}, content=iter([b"12", b"345"]))
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "5")


def test_a_disk_that_fills_up_is_said_and_loses_nothing(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    where = create(client, 10).headers["location"]
    patch(client, where, 0, b"12345")

    def full(_writer: Writer) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(Writer, "write", full)
        answer = patch(client, where, 5, b"678")
    assert answer.status_code == 507
    assert answer.json()["title"] == "There is not enough room on the disk."
    assert client.head(where, headers=TUS).headers["upload-offset"] == "5"
    assert patch(client, where, 5, b"678").headers["upload-offset"] == "8"


def test_what_is_no_recording_is_refused_with_a_sentence(client: httpx.Client) -> None:
    where = create(client, 21, "playlist.mp4").headers["location"]
    answer = patch(client, where, 0, b"#EXTM3U\nfile:///etc/x")
    assert answer.status_code == 422
    assert answer.json()["title"] == "This is a playlist, not a recording."
    again = client.get(where + "/asset")
    assert again.status_code == 422
    assert again.json()["title"] == "This is a playlist, not a recording."
    assert client.head(where, headers=TUS).status_code == 404
    assert client.get("/api/assets").json() == []


def test_another_owners_upload_does_not_exist(client: httpx.Client, served: Served, other_owner: Actor) -> None:
    where = create(client, 10).headers["location"]
    with served.client(other_owner) as stranger:
        assert stranger.head(where, headers=TUS).status_code == 404
        assert patch(stranger, where, 0, b"12345").status_code == 404
        assert stranger.delete(where, headers=TUS).status_code == 404
        assert stranger.get(where + "/asset").status_code == 404
        assert stranger.get("/api/uploads").json() == []
    assert client.head(where, headers=TUS).headers["upload-offset"] == "0"
    with served.client() as nobody:
        assert create(nobody, 10, Origin=served.url).status_code == 401


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\x00b.wav", "<script>.wav", "x" * 500 + ".wav", "", "\u202efdp.wav"]
)
def test_hostile_names_are_made_harmless(client: httpx.Client, sound: Path, name: str) -> None:
    data = sound.read_bytes()
    where = create(client, len(data), name).headers["location"]
    assert patch(client, where, 0, data).status_code == 204
    asset = client.get(where + "/asset").json()
    assert 0 < len(asset["name"]) <= 120
    assert not set(asset["name"]) & set("/\\<>\x00\u202e")
    path = f"/api/assets/{asset['id']}/content?download=1"
    assert client.get(path).headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "metadata", ["filename", "filename !!!notbase64", "=,=,=", "filename " + b64("a") + ",filename " + b64("b"), ",,,"]
)
def test_strange_metadata_never_breaks_an_upload(client: httpx.Client, metadata: str) -> None:
    made = client.post("/api/uploads", headers={**TUS, "Upload-Length": "5", "Upload-Metadata": metadata})
    assert made.status_code == 201
    assert client.head(made.headers["location"], headers=TUS).status_code == 200


def test_limits_before_the_first_byte(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert create(client, 0).status_code == 422
    assert create(client, -5).status_code == 422
    assert create(client, get_settings().max_upload_bytes + 1).status_code == 413
    monkeypatch.setenv("STUDIO_MIN_FREE", str(10**15))
    get_settings.cache_clear()
    refused = create(client, 10)
    assert refused.status_code == 507
    assert refused.json()["title"] == "There is not enough room on the disk."
    assert refused.json()["detail"].startswith("1000000.0 GB have to be free, and ")


def test_what_we_do_not_offer_is_refused(client: httpx.Client) -> None:
    assert create(client, 10, **{"Upload-Concat": "partial"}).status_code == 400
    deferred = client.post("/api/uploads", headers={**TUS, "Upload-Defer-Length": "1"})
    assert deferred.status_code == 400
    with_body = client.post("/api/uploads", headers={**TUS, "Upload-Length": "3"}, content=b"abc")
    assert with_body.status_code == 400
    assert client.post("/api/uploads", headers={"Upload-Length": "3"}).status_code == 412
    for wrong in ("..%2f..%2fetc%2fpasswd", "00000000000000000000000000000000", "x"):
        assert client.head(f"/api/uploads/{wrong}", headers=TUS).status_code in (404, 422)
    offered = client.options("/api/uploads").headers["tus-extension"]
    assert offered == "creation,expiration,termination"


def test_termination_frees_everything(client: httpx.Client) -> None:
    where = create(client, 10).headers["location"]
    patch(client, where, 0, b"12345")
    assert client.delete(where, headers=TUS).status_code == 204
    assert client.head(where, headers=TUS).status_code == 404
    assert client.get("/api/uploads").json() == []
    assert not any(get_settings().uploads_dir.iterdir())


def half_open(served: Served, actor: Actor, where: str, offset: int, length: int, body: bytes) -> socket.socket:
    """A PATCH whose body never ends."""
    connection = socket.create_connection(("127.0.0.1", served.port))
    path = where.removeprefix(served.url)
    connection.sendall(
        f"PATCH {path} HTTP/1.1\r\nHost: {served.host}\r\nAuthorization: Bearer {token_of(actor)}\r\n"
        f"Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n"
        f"Upload-Offset: {offset}\r\nContent-Length: {length}\r\n\r\n".encode()
        + body
    )
    return connection


def test_two_connections_never_write_at_once(client: httpx.Client, served: Served, owner: Actor) -> None:
    where = create(client, 20).headers["location"]
    connection = half_open(served, owner, where, 0, 10, b"12345")
    time.sleep(0.5)
    locked = patch(client, where, 0, b"abcde")
    assert locked.status_code == 423
    assert locked.headers["content-type"] == "application/problem+json"
    connection.close()
    deadline = time.monotonic() + 10
    while client.head(where, headers=TUS).headers["upload-offset"] != "5":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert patch(client, where, 5, b"6789012345abcde").status_code == 422  # complete, and no recording
    assert client.get(where + "/asset").status_code == 422


def test_many_racing_writers_leave_one_truth(client: httpx.Client, served: Served, owner: Actor, sound: Path) -> None:
    data = sound.read_bytes()
    where = create(client, len(data)).headers["location"]
    answers: list[int] = []

    def race() -> None:
        with served.client(owner) as mine:
            answers.append(patch(mine, where, 0, data[:200_000]).status_code)

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [204, 409, 409, 409, 409, 409]
    assert patch(client, where, 200_000, data[200_000:]).status_code == 204
    assert client.get(where + "/asset").json()["sha256"] == hashlib.sha256(data).hexdigest()


def test_sweep_forgets_what_nobody_continued(client: httpx.Client) -> None:
    where = create(client, 10).headers["location"]
    now = datetime.now(UTC)
    assert sweep(now) == 0
    with database.session() as session:
        session.execute(update(Upload).values(updated_at=now - timedelta(days=8)))
    assert sweep(now) == 1
    assert client.head(where, headers=TUS).status_code == 404
    assert not any(get_settings().uploads_dir.iterdir())


def test_small_file_in_one_request(client: httpx.Client, sound: Path) -> None:
    with sound.open("rb") as file:
        answer = client.post("/api/assets", files={"file": ("พูด คุย.wav", file, "audio/wav")})
    assert answer.status_code == 201
    asset = answer.json()
    assert asset["name"] == "พูด คุย.wav"
    assert asset["sha256"] == hashlib.sha256(sound.read_bytes()).hexdigest()
    assert asset["duration_seconds"] == pytest.approx(3.0, abs=0.01)
    assert not any(get_settings().uploads_dir.iterdir())


def test_small_file_refusals(client: httpx.Client) -> None:
    assert client.post("/api/assets", json={}).status_code == 400
    assert client.post("/api/assets", files={"other": b"x"}).status_code == 400
    text = client.post("/api/assets", files={"file": ("x.mp4", b"not a video at all, only words")})
    assert text.status_code == 422
    assert text.json()["type"] == "unsupported-media"
    cut = client.post(
        "/api/assets",
        content=b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert cut.status_code == 400
    assert not any(get_settings().uploads_dir.iterdir())


SERVER = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from api.application import api
from api.guard import Guard
app = Starlette(routes=[Mount("/api", api)], middleware=[Middleware(Guard)],
                lifespan=lambda _: api.router.lifespan_context(api))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


def start_server(port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/api/health")
            return process
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)


def resident(pid: int) -> int:
    """Resident memory of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_killed_at_sixty_percent_and_continued(owner: Actor, tmp_path: Path) -> None:
    """200 MB in pieces of 16 MB; kill -9 in the middle of a piece; the same hash at the end; memory stays flat."""
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48000)
        second = os.urandom(4 * 48000)
        for _ in range(1090):
            file.writeframes(second)
    size, piece = path.stat().st_size, 16 * 1024 * 1024
    assert size > 200_000_000
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Served(port)
    server = start_server(port)
    try:
        with served.client(owner) as client, path.open("rb") as file:
            made = create(client, size, "long.wav")
            where = made.headers["location"]
            before, peak, offset = resident(server.pid), 0, 0
            while offset < 0.55 * size:
                file.seek(offset)
                offset = int(patch(client, where, offset, file.read(piece)).headers["upload-offset"])
                peak = max(peak, resident(server.pid))
            half_open(served, owner, where, offset, piece, file.read(piece // 2))
            deadline = time.monotonic() + 20
            written = get_settings().uploads_dir / where.rpartition("/")[2]
            while written.stat().st_size < offset + 4 * 1024 * 1024:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            server.kill()
            server.wait()
            assert peak - before < 64 * 1024 * 1024, f"memory grew by {(peak - before) / 1e6:.0f} MB"

        server = start_server(port)
        with served.client(owner) as client, path.open("rb") as file:
            resumed = int(client.head(where, headers=TUS).headers["upload-offset"])
            assert offset < resumed < size
            offset, before, peak = resumed, resident(server.pid), 0
            while offset < size:
                file.seek(offset)
                answer = patch(client, where, offset, file.read(piece))
                offset = int(answer.headers["upload-offset"])
                peak = max(peak, resident(server.pid))
            asset = client.get(where + "/asset").json()
            assert peak - before < 64 * 1024 * 1024, f"memory grew by {(peak - before) / 1e6:.0f} MB"
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        assert asset["sha256"] == digest.hexdigest()
        assert asset["size_bytes"] == size
    finally:
        server.kill()
        server.wait()
