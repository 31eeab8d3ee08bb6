"""Model downloads against a loopback server that cuts the connection, lies about sizes and knows Range."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core import speech
from core.errors import InvalidInput, JobCancelled, ProviderRefused
from core.settings import get_settings
from providers.speech import models


@dataclass
class Shop:
    """What the server has and how it misbehaves; ``requests`` are (method, file, Range)."""

    files: dict[str, bytes]
    url: str = ""
    cut_after: int | None = None
    cuts_left: int = 0
    damaged: bool = False
    status: int = 200
    requests: list[tuple[str, str, str]] = field(default_factory=list)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    body = bytes(range(256)) * 8192
    goods = Shop({name: name.encode() * 50 for name in speech.CATALOGUE["tiny"].files} | {"model.bin": body})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _begin(self, head: bool) -> None:
            file = self.path.rsplit("/", 1)[-1]
            asked = self.headers.get("Range", "")
            goods.requests.append((self.command, file, asked))
            if goods.status != 200:
                self.send_response(goods.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if not self.path.startswith("/Systran/faster-whisper-tiny/resolve/main/") or file not in goods.files:
                self.send_error(404)
                return
            data = goods.files[file]
            tag = hashlib.sha256(data).hexdigest()
            match = re.fullmatch(r"bytes=(\d+)-", asked)
            start = int(match.group(1)) if match else 0
            self.send_response(206 if match else 200)
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("X-Linked-ETag", f'"{tag}"')
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            if head:
                return
            sent = data[start:]
            if goods.damaged and file == "model.bin":
                sent = b"\0" * len(sent)
            if goods.cut_after is not None and goods.cuts_left > 0 and len(sent) > goods.cut_after:
                goods.cuts_left -= 1
                self.wfile.write(sent[: goods.cut_after])
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(2)
                return
            self.wfile.write(sent)

        def do_HEAD(self) -> None:
            self._begin(True)

        def do_GET(self) -> None:
            self._begin(False)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    goods.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("STUDIO_MODEL_BASE", goods.url)
    get_settings.cache_clear()
    yield goods
    get_settings.cache_clear()
    server.shutdown()
    server.server_close()


def test_a_cut_download_goes_on_where_it_broke_off(shop: Shop) -> None:
    shop.cut_after, shop.cuts_left = 700_000, 2
    told: list[float] = []
    folder = models.download("tiny", progress=lambda fraction, stage=None: told.append(fraction))
    for name, content in shop.files.items():
        assert (folder / name).read_bytes() == content
    ranges = [asked for method, file, asked in shop.requests if method == "GET" and file == "model.bin"]
    assert len(ranges) == 3
    assert ranges[0] == ""
    starts = [int(asked[6:-1]) for asked in ranges[1:]]
    assert 0 < starts[0] < starts[1] < len(shop.files["model.bin"])
    assert told == sorted(told)
    assert "tiny" in speech.installed()
    assert speech.choose("th") == "tiny"
    assert {path.name for path in folder.iterdir()} == set(shop.files)


def test_cancelling_keeps_what_came_and_the_next_try_needs_only_the_rest(shop: Shop) -> None:
    def cancel(fraction: float, stage: str | None = None) -> None:
        if (
            sum(path.stat().st_size for path in (get_settings().models_dir / ".partial-whisper-tiny").iterdir())
            > 900_000
        ):
            raise JobCancelled

    with pytest.raises(JobCancelled):
        models.download("tiny", progress=cancel)
    assert "tiny" not in speech.installed()
    models.download("tiny")
    last = [asked for method, file, asked in shop.requests if method == "GET" and file == "model.bin"][-1]
    assert int(last[6:-1]) > 500_000
    assert "tiny" in speech.installed()


def test_a_damaged_model_is_thrown_away(shop: Shop) -> None:
    shop.damaged = True
    with pytest.raises(ProviderRefused) as refused:
        models.download("tiny")
    assert refused.value.code == "damaged"
    assert "tiny" not in speech.installed()
    shop.damaged = False
    models.download("tiny")
    assert "tiny" in speech.installed()


def test_a_refusing_server_is_named(shop: Shop) -> None:
    shop.status = 403
    with pytest.raises(ProviderRefused) as refused:
        models.download("tiny")
    assert (refused.value.code, refused.value.retryable) == ("403", False)


def test_removing_a_model_frees_its_folder(shop: Shop) -> None:
    folder = models.download("tiny")
    models.remove("tiny")
    assert not folder.exists()
    with pytest.raises(InvalidInput):
        models.remove(speech.BUNDLED)
    with pytest.raises(InvalidInput):
        models.download("enormous")
