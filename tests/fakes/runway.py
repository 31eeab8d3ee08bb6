"""A loopback Runway in a process of its own: ``python -m tests.fakes.runway <clip.mp4>`` prints its address and serves.

It takes what text_to_video of gen4.5 takes and refuses what that refuses: no key, no or another X-Runway-Version,
unknown fields, another ratio, part seconds. A task is PENDING, THROTTLED, RUNNING and then done, one step each time it
is asked for. A clip's address works without a key; ``stale_addresses`` have expired when they are told. Under /_ are
the test's switches: what to answer next (``planned``: a status, or "cut" to take an order and break the connection),
and the log of orders and requests.
"""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

KEY, VERSION = "key_loopback", "2024-11-06"
STEPS = ("PENDING", "THROTTLED", "RUNNING", "SUCCEEDED")
FIELDS = {"model", "promptText", "ratio", "duration", "seed", "contentModeration"}


@dataclass
class Order:
    """A task that was created."""

    body: dict[str, Any]
    asked: int = 0
    cancelled: bool = False
    failure: str = ""


class Service(ThreadingHTTPServer):
    """The switches and the log."""

    def __init__(self, clip: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.clip = clip
        self.orders: dict[str, Order] = {}
        self.planned: list[Any] = []
        self.fail_next = ""
        self.stale_addresses = 0
        self.addresses: set[str] = set()
        self.requests: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/_/switch":
            for name, value in json.loads(body).items():
                setattr(self.server, name, value)
            return self._answer(200, {})
        self.server.requests.append(f"POST {self.path}")
        if self.path != "/v1/text_to_video":
            return self._answer(404, {"error": "Not found"})
        return self._allowed() and self._create(json.loads(body))

    def do_GET(self) -> None:
        if self.path == "/_/log":
            orders = {handle: vars(order) for handle, order in self.server.orders.items()}
            return self._answer(200, {"orders": orders, "requests": self.server.requests})
        self.server.requests.append(f"GET {self.path.split('?')[0]}")
        if self.path.startswith("/clips/"):
            if self.path not in self.server.addresses:
                return self._answer(403, {"error": "Request has expired"})
            return self._send(200, self.server.clip, "video/mp4")
        return self._allowed() and self._task()

    def do_DELETE(self) -> None:
        self.server.requests.append(f"DELETE {self.path}")
        if self._allowed():
            order = self.server.orders.get(self.path.rpartition("/")[2])
            if order is not None:
                order.cancelled = True
            self._send(204, b"", "application/json")

    def _allowed(self) -> bool:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self._answer(401, {"error": "Invalid API key"})
        elif self.headers.get("X-Runway-Version") != VERSION:
            self._answer(400, {"error": "X-Runway-Version header is missing or unknown"})
        elif self.server.planned and self.server.planned[0] != "cut":
            status = self.server.planned.pop(0)
            self._answer(status, {"error": "As planned."})
        else:
            return True
        return False

    def _create(self, body: dict[str, Any]) -> None:
        problems = [name for name in body if name not in FIELDS]
        problems += [name for name in ("model", "promptText", "ratio", "duration") if name not in body]
        if body.get("model") != "gen4.5" or body.get("ratio") not in ("1280:720", "720:1280"):
            problems.append("model or ratio")
        duration, prompt = body.get("duration"), body.get("promptText", "")
        if type(duration) is not int or not 2 <= duration <= 10:
            problems.append("duration")
        if not 1 <= len(prompt.encode("utf-16-le")) // 2 <= 1000:
            problems.append("promptText")
        if problems:
            return self._answer(400, {"error": "Validation of body failed", "issues": problems})
        handle = str(uuid.uuid4())
        self.server.orders[handle] = Order(body, failure=self.server.fail_next)
        self.server.fail_next = ""
        if self.server.planned:  # taken, and nobody is told
            self.server.planned.pop(0)
            self.close_connection = True
            self.connection.shutdown(2)
            return None
        return self._answer(200, {"id": handle})

    def _task(self) -> None:
        handle = self.path.rpartition("/")[2]
        order = self.server.orders.get(handle)
        if order is None:
            return self._answer(404, {"error": "Task not found"})
        order.asked += 1
        status = "CANCELLED" if order.cancelled else STEPS[min(order.asked, len(STEPS)) - 1]
        task: dict[str, Any] = {"id": handle, "createdAt": "2026-11-26T10:00:00.000Z", "status": status}
        if status == "RUNNING":
            task["progress"] = 0.4
        if status == "SUCCEEDED" and order.failure:
            task |= {"status": "FAILED", "failure": "Not allowed.", "failureCode": order.failure}
        elif status == "SUCCEEDED":
            address = f"/clips/{uuid.uuid4()}.mp4?_jwt=x"
            if self.server.stale_addresses > 0:
                self.server.stale_addresses -= 1
            else:
                self.server.addresses.add(address)
            task["output"] = [f"http://{self.headers['Host']}{address}"]
        return self._answer(200, task)

    def _answer(self, status: int, body: object) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class FakeRunway:
    """How a test starts the service and works its switches."""

    def __init__(self, clip: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.runway", str(clip)],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def switch(self, **values: Any) -> None:
        """Set attributes of :class:`Service`."""
        httpx.post(f"{self.url}/_/switch", json=values).raise_for_status()

    @property
    def orders(self) -> dict[str, dict[str, Any]]:
        """What was ordered, by handle."""
        found: dict[str, dict[str, Any]] = httpx.get(f"{self.url}/_/log").json()["orders"]
        return found

    @property
    def requests(self) -> list[str]:
        found: list[str] = httpx.get(f"{self.url}/_/log").json()["requests"]
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(5)


def main() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: ends with the test that started it
    service = Service(Path(sys.argv[1]).read_bytes())
    sys.stdout.write(f"http://127.0.0.1:{service.server_address[1]}\n")
    sys.stdout.flush()
    service.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
