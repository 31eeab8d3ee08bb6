"""A real server for the API's tests: the API behind the guard, on a free port, beside a stand-in for the pages."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from api.application import api
from api.guard import Guard
from core import database
from core.models.identity import User
from core.security import Actor, issue_api_token


@dataclass(frozen=True)
class Served:
    """Where the server listens."""

    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def client(self, actor: Actor | None = None, **options: object) -> httpx.Client:
        """A client with the bearer token of ``actor``, or with nothing."""
        headers = {"Authorization": f"Bearer {token_of(actor)}"} if actor else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, **options)  # type: ignore[arg-type]


def token_of(actor: Actor) -> str:
    """A new API token of a user."""
    with database.session() as session:
        return issue_api_token(session, session.get_one(User, actor.user_id), "test")


async def _page(_request: Request) -> Response:
    return HTMLResponse("<!doctype html><title>page</title>")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


@contextmanager
def serve() -> Iterator[Served]:
    """Run the server in a thread."""
    app = Starlette(
        routes=[Mount("/api", api), WebSocketRoute("/_stcore/stream", _stream), Route("/{path:path}", _page)],
        middleware=[Middleware(Guard)],
        lifespan=lambda _app: api.router.lifespan_context(api),
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    try:
        yield Served(port)
    finally:
        api.state.hub.closing.set()
        server.should_exit = True
        thread.join(20)
