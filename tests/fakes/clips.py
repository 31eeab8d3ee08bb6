"""A loopback Runway, Luma or Pika in a process of its own: ``python -m tests.fakes.clips <name> <clip.mp4>``.

Each takes what its service takes for a clip of a prompt and refuses what that refuses: Runway (text_to_video of gen4.5)
no key, no or another X-Runway-Version, unknown fields, another ratio, part seconds; Luma (generations/video of ray-2)
no key, another shape, length or resolution; Pika (fal's queue) the same, and an answer asked for before it is there. An
order goes one step on each time it is asked for. A clip's address works without a key; ``stale_addresses`` have expired
when they are told. Under /_ are the test's switches: what to answer next (``planned``: a status, or "cut" to take an
order and break the connection), and the log of orders and requests.
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
from typing import Any, ClassVar

import httpx

KEY, VERSION = "key_loopback", "2024-11-06"


@dataclass
class Order:
    """What was ordered, how often it was asked for."""

    body: dict[str, Any]
    asked: int = 0
    cancelled: bool = False
    failure: str = ""


class Service(ThreadingHTTPServer):
    """The switches and the log."""

    def __init__(self, clip: bytes, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.clip = clip
        self.orders: dict[str, Order] = {}
        self.planned: list[Any] = []
        self.fail_next = ""
        self.stale_addresses = 0
        self.addresses: set[str] = set()
        self.requests: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """What both services have in common."""

    server: Service
    protocol_version = "HTTP/1.1"
    create_path: ClassVar[str]
    created: ClassVar[int]
    steps: ClassVar[tuple[str, ...]]
    scheme: ClassVar[str] = "Bearer"

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def refuse(self, status: int, message: str) -> None:
        """Say no in the service's own form."""
        raise NotImplementedError

    def problems(self, body: dict[str, Any]) -> list[str]:
        """What is wrong with an order."""
        raise NotImplementedError

    def told(self, handle: str, order: Order, step: str, address: str) -> dict[str, Any]:
        """How an order stands, in the service's own form."""
        raise NotImplementedError

    def allowed(self) -> bool:
        if self.headers.get("Authorization") != f"{self.scheme} {KEY}":
            self.refuse(401, "Invalid API key")
        elif self.server.planned and self.server.planned[0] != "cut":
            self.refuse(self.server.planned.pop(0), "As planned.")
        else:
            return True
        return False

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if self.path == "/_/switch":
            for name, value in body.items():
                setattr(self.server, name, value)
            return self.answer(200, {})
        self.server.requests.append(f"POST {self.path}")
        if self.path != self.create_path:
            return self.refuse(404, "Not found")
        if not self.allowed():
            return None
        if problems := self.problems(body):
            return self.refuse(400, f"Validation failed: {problems}")
        handle = str(uuid.uuid4())
        self.server.orders[handle] = Order(body, failure=self.server.fail_next)
        self.server.fail_next = ""
        if self.server.planned:  # taken, and nobody is told
            self.server.planned.pop(0)
            self.close_connection = True
            return self.connection.shutdown(2)
        return self.answer(self.created, {"id": handle, **self.told(handle, Order(body), self.steps[0], "")})

    def do_GET(self) -> None:
        if self.path == "/_/log":
            orders = {handle: vars(order) for handle, order in self.server.orders.items()}
            return self.answer(200, {"orders": orders, "requests": self.server.requests})
        self.server.requests.append(f"GET {self.path.split('?')[0]}")
        if self.path.startswith("/clips/"):
            if self.path not in self.server.addresses:
                return self.refuse(403, "Request has expired")
            return self.send(200, self.server.clip, "video/mp4")
        if not self.allowed():
            return None
        handle = next((part for part in self.path.split("/") if part in self.server.orders), "")
        order = self.server.orders.get(handle)
        if order is None:
            return self.refuse(404, "Not found")
        return self.tell(handle, order)

    def tell(self, handle: str, order: Order) -> None:
        """Answer how an order stands, one step further on."""
        order.asked += 1
        step = self.steps[min(order.asked, len(self.steps)) - 1]
        return self.answer(200, self.told(handle, order, step, self._address() if step == self.steps[-1] else ""))

    def do_DELETE(self) -> None:
        self.cancel("DELETE", self.path.rpartition("/")[2], 204)

    def cancel(self, method: str, handle: str, status: int) -> None:
        self.server.requests.append(f"{method} {self.path}")
        if self.allowed():
            if handle in self.server.orders:
                self.server.orders[handle].cancelled = True
            self.send(status, b"" if status == 204 else b"{}", "application/json")

    def _address(self) -> str:
        address = f"/clips/{uuid.uuid4()}.mp4?_jwt=x"
        if self.server.stale_addresses > 0:
            self.server.stale_addresses -= 1
        else:
            self.server.addresses.add(address)
        return f"http://{self.headers['Host']}{address}"

    def answer(self, status: int, body: object) -> None:
        self.send(status, json.dumps(body).encode(), "application/json")

    def send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class RunwayHandler(Handler):
    create_path = "/v1/text_to_video"
    created = 200
    steps = ("PENDING", "THROTTLED", "RUNNING", "SUCCEEDED")

    def refuse(self, status: int, message: str) -> None:
        self.answer(status, {"error": message})

    def allowed(self) -> bool:
        if self.headers.get("X-Runway-Version") != VERSION:
            self.refuse(400, "X-Runway-Version header is missing or unknown")
            return False
        return super().allowed()

    def problems(self, body: dict[str, Any]) -> list[str]:
        known = {"model", "promptText", "ratio", "duration", "seed", "contentModeration"}
        found = [name for name in body if name not in known]
        if body.get("model") != "gen4.5" or body.get("ratio") not in ("1280:720", "720:1280"):
            found.append("model or ratio")
        duration, prompt = body.get("duration"), body.get("promptText", "")
        if type(duration) is not int or not 2 <= duration <= 10:
            found.append("duration")
        if not 1 <= len(prompt.encode("utf-16-le")) // 2 <= 1000:
            found.append("promptText")
        return found

    def told(self, handle: str, order: Order, step: str, address: str) -> dict[str, Any]:
        task: dict[str, Any] = {"id": handle, "createdAt": "2026-11-26T10:00:00.000Z", "status": step}
        if order.cancelled:
            task["status"] = "CANCELLED"
        elif step == "RUNNING":
            task["progress"] = 0.4
        elif step == "SUCCEEDED" and order.failure:
            task |= {"status": "FAILED", "failure": "Not allowed.", "failureCode": order.failure}
        elif step == "SUCCEEDED":
            task["output"] = [address]
        return task


class LumaHandler(Handler):
    create_path = "/generations/video"
    created = 201
    steps = ("queued", "dreaming", "completed")

    def refuse(self, status: int, message: str) -> None:
        self.answer(status, {"detail": message})

    def problems(self, body: dict[str, Any]) -> list[str]:
        allowed: dict[str, tuple[str, ...]] = {
            "model": ("ray-1-6", "ray-2", "ray-flash-2"),
            "aspect_ratio": ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21"),
            "duration": ("5s", "9s"),
            "resolution": ("540p", "720p", "1080p", "4k"),
        }
        found = [name for name, values in allowed.items() if body.get(name) not in values]
        return found + [name for name in body if name not in {*allowed, "prompt", "loop", "keyframes"}]

    def told(self, handle: str, order: Order, step: str, address: str) -> dict[str, Any]:
        generation: dict[str, Any] = {
            "id": handle, "generation_type": "video", "model": order.body["model"], "state": step,
            "created_at": "2026-11-26T10:00:00Z", "failure_reason": None, "assets": None, "request": order.body,
        }  # fmt: skip
        if step == "completed" and order.failure:
            generation |= {"state": "failed", "failure_reason": order.failure}
        elif step == "completed":
            generation["assets"] = {"video": address}
        return generation


class PikaHandler(Handler):
    create_path = "/fal-ai/pika/v2.2/text-to-video"
    created = 200
    steps = ("IN_QUEUE", "IN_PROGRESS", "COMPLETED")
    scheme = "Key"

    def refuse(self, status: int, message: str) -> None:
        self.answer(status, {"detail": message})

    def problems(self, body: dict[str, Any]) -> list[str]:
        allowed: dict[str, tuple[Any, ...]] = {
            "aspect_ratio": ("16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3"),
            "resolution": ("720p", "1080p"),
            "duration": (5, 10),
        }
        found = [name for name, values in allowed.items() if body.get(name) not in values]
        found += [name for name in body if name not in {*allowed, "prompt", "negative_prompt", "seed"}]
        return found + ([] if body.get("prompt") else ["prompt"])

    def told(self, handle: str, order: Order, step: str, address: str) -> dict[str, Any]:
        there = f"https://elsewhere.example/fal-ai/pika/requests/{handle}"
        return {"request_id": handle, "status": step, "status_url": f"{there}/status", "response_url": there}

    def tell(self, handle: str, order: Order) -> None:
        if self.path == f"/fal-ai/pika/requests/{handle}/status":
            order.asked += 1
            step = self.steps[min(order.asked, len(self.steps)) - 1]
            return self.answer(200 if step == "COMPLETED" else 202, self.told(handle, order, step, ""))
        if self.path != f"/fal-ai/pika/requests/{handle}":
            return self.refuse(404, "Path not found")
        if order.asked < len(self.steps):
            return self.refuse(400, "Request is still in progress")
        if order.failure:
            return self.answer(422, {"detail": [{"loc": ["body", "prompt"], "msg": order.failure, "type": "policy"}]})
        return self.answer(200, {"video": {"url": self._address(), "content_type": "video/mp4"}})

    def do_PUT(self) -> None:
        self.cancel("PUT", self.path.split("/")[-2], 202)


SERVICES: dict[str, type[Handler]] = {"runway": RunwayHandler, "luma": LumaHandler, "pika": PikaHandler}


class FakeClips:
    """How a test starts a service and works its switches."""

    def __init__(self, name: str, clip: Path) -> None:
        self.create_path = SERVICES[name].create_path
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.clips", name, str(clip)],
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
        """Method and path of what was asked."""
        found: list[str] = httpx.get(f"{self.url}/_/log").json()["requests"]
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(5)


def main() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: ends with the test that started it
    service = Service(Path(sys.argv[2]).read_bytes(), SERVICES[sys.argv[1]])
    sys.stdout.write(f"http://127.0.0.1:{service.server_address[1]}\n")
    sys.stdout.flush()
    service.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
