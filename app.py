"""The front door: Streamlit's pages and the HTTP API in one ASGI application.

``python app.py`` (what ``make run`` calls), ``streamlit run app.py`` and ``uvicorn app:app`` all start it. When no
external database or queue is configured, a guardian process owns the embedded ones and ends with the app.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":
    # Until it serves, Ctrl-C ends it at once and says nothing; the guardian notices.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from core import launch, log
from core.settings import get_settings

if __name__ == "__main__":
    # Nothing of what is imported below is ever freed; looking for garbage in it would take a fifth of the start.
    gc.disable()
    # The database comes up while the pages and the API below are imported.
    try:
        launch.begin()
    except launch.CannotStart as refusal:
        sys.exit(str(refusal))

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from api import oidc
from api.application import api
from api.guard import Guard

gc.freeze()
gc.enable()

HERE = Path(__file__).resolve().parent


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """Start the services before the first page and stop them after the last."""
    log.configure("app")
    services = _started.pop() if _started else _start()
    try:
        async with api.router.lifespan_context(api):
            yield {"services": services}
    finally:
        services.stop()


_started: list[launch.Services] = []


def _start() -> launch.Services:
    try:
        return launch.start()
    except launch.CannotStart:
        # The server prints what ends its start: the sentence, and not where in the code it was found.
        sys.tracebacklimit = 0
        raise


app = st.App(
    HERE / "pages" / "home.py",
    routes=[
        Mount("/api", api),
        Mount("/vendor", StaticFiles(directory=HERE / "vendor", check_dir=False)),
    ],
    middleware=[Middleware(Guard)],
    lifespan=lifespan,
    secrets=oidc.streamlit_secrets(get_settings()),
)


def main() -> int:
    """Serve the studio."""
    log.configure("app")
    try:
        _started.append(launch.start())
    except launch.CannotStart as refusal:
        sys.exit(str(refusal))
    settings = get_settings()
    name = launch.shown_name(settings)
    sys.stderr.write(f"The studio opens at http://{name}:{settings.port}\n")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app.run(
        config={
            "server.address": settings.host,
            "server.port": settings.port,
            "server.headless": True,
            "browser.gatherUsageStats": False,
            # Without a name of its own Streamlit asks a server on the internet for this machine's address.
            "browser.serverAddress": name,
            "logger.hideWelcomeMessage": True,
        }
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
