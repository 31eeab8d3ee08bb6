"""The HTTP API: one FastAPI application, mounted at /api by ``app.py``; one router for each room.

Every router but the sign-in, health, webhooks and OAuth callbacks asks for the signed-in user by its dependencies; a
test walks all of them without credentials and with somebody else's identifiers.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import Depends, FastAPI
from sqlalchemy.exc import SQLAlchemyError

from api import (
    advisor,
    assets,
    business,
    channels,
    documentation,
    events,
    health,
    jobs,
    mastering,
    music,
    pipelines,
    problems,
    publishing,
    sessions,
    settings,
    sign_in_page,
    speech,
    stems,
    timelines,
    uploads,
    video,
    webhooks,
)
from api.examples import EXAMPLES
from api.hub import Hub
from api.sound import only_sound_values

SWEEP_SECONDS = 3600.0
_log = logging.getLogger(__name__)
_DESCRIPTION = """
Everything the pages do, for programs. Send `Authorization: Bearer <token>`; in embedded mode the owner's token is in
`data/api-token`. A POST that starts work answers 202 with `{"job_id"}`; follow it with `GET /jobs/{id}` or
`GET /events`. Errors are problem documents (RFC 9457).
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.hub = Hub()
    if threading.current_thread() is threading.main_thread():
        app.state.hub.end_on_signals()
    sweeping = asyncio.create_task(_sweep(), name="upload sweep")
    yield
    sweeping.cancel()
    await app.state.hub.close()


async def _sweep() -> None:
    while True:
        try:
            await asyncio.to_thread(uploads.sweep, datetime.now(UTC))
        except (OSError, SQLAlchemyError):
            _log.exception("uploads could not be swept")
        await asyncio.sleep(SWEEP_SECONDS)


api = FastAPI(
    title="Creator Studio",
    description=_DESCRIPTION,
    version="1",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    lifespan=_lifespan,
    dependencies=[Depends(only_sound_values)],
    servers=[{"url": "/api"}],
    root_path_in_servers=False,
)
problems.install(api)
api.add_middleware(uploads.PatientUploads)
api.add_middleware(health.Timed)

ROOMS = (
    *(sessions, sign_in_page, health, documentation, events, settings),
    *(jobs, uploads, assets, timelines, video, music, stems, mastering, speech),
    *(channels, publishing, pipelines, webhooks, business, advisor),
)
for room in ROOMS:
    api.include_router(room.router)


def _schema() -> dict[str, Any]:
    if api.openapi_schema is None:
        schema = FastAPI.openapi(api)
        schema["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "studio_session"},
        }
        schema["components"]["schemas"]["Problem"] = problems.SCHEMA
        for item in schema["paths"].values():
            for operation in item.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = problems.RESPONSE
        uploads.document(schema["paths"])
        for model, shown in EXAMPLES.items():
            schema["components"]["schemas"][model.__name__]["examples"] = [shown]
        for unused in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(unused, None)
        schema["security"] = [{"bearer": []}, {"session": []}]
        api.openapi_schema = schema
    return api.openapi_schema


api.openapi = _schema  # type: ignore[method-assign]
