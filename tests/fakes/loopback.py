"""What the loopback platforms share: a process of their own, a durable log, faults, and plain HTTP answers.

``python -m tests.fakes.<platform> --port 0 --log FILE`` prints the address it listens on, then serves until killed.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

ROOT = Path(__file__).resolve().parents[2]


class Dropped(Exception):
    """Close the connection without an answer."""


@dataclass
class Fault:
    """Misbehave at ``on`` after ``skip`` matching calls, ``times`` times, for one account where ``account`` names one.

    ``do``: ``status`` (answer ``status`` and ``code``), ``drop_before`` (close without doing it), ``drop_after`` (do
    it, close without an answer), ``cut`` (close after ``bytes`` of the body), ``stall`` (wait ``seconds``, then go on),
    and what a platform's own handler knows beside these.
    """

    on: str
    do: str
    status: int = 503
    code: str = "internal_error"
    times: int = 1
    skip: int = 0
    bytes: int = 0
    seconds: float = 1.0
    account: str | None = None
    retry_after: int | None = None


class Log:
    """Lines on disk before anybody is answered."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a", encoding="utf-8") if path else None

    def record(self, kind: str, **values: Any) -> None:
        if self._file is None:
            return
        self._file.write(json.dumps({"at": datetime.now(UTC).isoformat(), "kind": kind, **values}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


class Faults:
    """The faults that are due, and how often each kind of call came."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.pending: list[Fault] = []
        self.calls: dict[str, int] = {}

    def due(self, on: str, account: str | None = None) -> Fault | None:
        """The fault due at this point, counted down."""
        with self.lock:
            self.calls[on] = self.calls.get(on, 0) + 1
            for fault in self.pending:
                if fault.on != on or (fault.account and fault.account != account):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times <= 0:
                    continue
                fault.times -= 1
                return fault
        return None


class Server(ThreadingHTTPServer):
    """One loopback platform."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], state: Any) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.state = state

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not news."""


class Handler(BaseHTTPRequestHandler):
    """Reads and answers; a platform's handler says what in ``route``."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    @property
    def state(self) -> Any:
        return self.server.state  # type: ignore[attr-defined]

    def route(self, path: str) -> None:
        """Answer one request."""
        raise NotImplementedError

    def _run(self) -> None:
        url = urlsplit(self.path)
        self._read = False
        self.query = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
        try:
            self.route(url.path)
        except (Dropped, ConnectionError, TimeoutError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _run

    def answer(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """A page where ``body`` is text, otherwise JSON."""
        self.drain()
        page = isinstance(body, str)
        raw = body.encode() if page else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{'text/html' if page else 'application/json'}; charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def body(self) -> bytes:
        self._read = True
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    _read = False

    def drain(self) -> None:
        """Read what the client still sends, so that it can read our answer."""
        if not self._read:
            self.body()


def serve(make: Callable[[int, Path | None], Server]) -> int:
    """The process: prints its address, ends with the test that started it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    server = make(options.port, options.log)
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    return 0


@dataclass
class Running:
    """A running loopback platform, as its tests see it."""

    url: str
    log: Path
    process: subprocess.Popen[str]

    @classmethod
    def start_module(cls, module: str, log: Path) -> Self:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--port", "0", "--log", str(log)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None
        return cls(process.stdout.readline().strip(), log, process)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(5)

    def admin(self, method: str, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One of the tests' own switches."""
        answer = httpx.request(method, f"{self.url}/_admin/{what}", json=body, timeout=10)
        answer.raise_for_status()
        loaded: dict[str, Any] = answer.json()
        return loaded

    def fault(self, on: str, do: str, **extra: Any) -> None:
        self.admin("POST", "faults", {"on": on, "do": do, **extra})

    def set(self, **values: Any) -> None:
        self.admin("POST", "state", values)

    def posts(self) -> list[dict[str, Any]]:
        posts: list[dict[str, Any]] = self.admin("GET", "posts")["posts"]
        return posts

    def calls(self) -> dict[str, int]:
        calls: dict[str, int] = self.admin("GET", "posts")["calls"]
        return calls

    def logged(self, kind: str) -> list[dict[str, Any]]:
        """Lines of the durable log, read from disk."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["kind"] == kind]


def in_future(seconds: float) -> float:
    """Seconds since 1970 of an instant to come."""
    return time.time() + seconds
