"""Whether the studio works (for probes, without a sign-in), and its figures for Prometheus."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel
from redis.exceptions import RedisError
from rq import Worker
from sqlalchemy import func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dependencies import StudioOwner
from core import database
from core.jobs import queue
from core.jobs.kinds import QUEUES
from core.models.jobs import Job, OutboxEvent
from core.settings import get_settings

router = APIRouter(tags=["health"])
Verdict = Literal["ok", "failing"]
REGISTRY = CollectorRegistry()
DURATIONS = Histogram(
    "studio_request_seconds",
    "Time to answer API requests",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)


class Health(BaseModel):
    """``status`` is ok when everything else is."""

    status: Verdict
    database: Verdict
    redis: Verdict
    workers: Verdict
    disk: Verdict


@router.get("/health", openapi_extra={"security": []}, responses={503: {"model": Health}})
def health(response: Response) -> Health:
    """What the studio needs, and whether it is there; 503 when something is missing. No names, no numbers."""
    redis = _redis()
    found = {
        "database": database.answers(),
        "redis": redis,
        "workers": _workers() if redis else False,
        "disk": shutil.disk_usage(get_settings().root).free > get_settings().min_free_bytes,
    }
    response.status_code = 200 if all(found.values()) else 503
    verdicts: dict[str, Verdict] = {name: "ok" if good else "failing" for name, good in found.items()}
    return Health(status="ok" if all(found.values()) else "failing", **verdicts)


def _redis() -> bool:
    try:
        queue.connection().ping()
    except RedisError:
        return False
    return True


def _workers() -> bool:
    """Whether every queue has a worker that lives."""
    served = {name for worker in Worker.all(connection=queue.connection()) for name in worker.queue_names()}
    return set(QUEUES) <= served


class Figures(Collector):
    """Counts taken from the database and the queue when somebody asks."""

    def collect(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("studio_jobs", "Jobs by kind and status", labels=["kind", "status"])
        with database.session() as session:
            for kind, status, count in session.execute(
                select(Job.kind, Job.status, func.count()).group_by(Job.kind, Job.status)
            ):
                jobs.add_metric([kind, status], count)
            undelivered = session.scalar(select(func.count()).where(OutboxEvent.delivered_at.is_(None))) or 0
        yield jobs
        yield GaugeMetricFamily("studio_events_undelivered", "Events waiting for delivery", value=undelivered)
        waiting = GaugeMetricFamily("studio_queue_length", "Jobs waiting in Redis", labels=["queue"])
        for name in QUEUES:
            waiting.add_metric([name], queue.queue(name).count)
        yield waiting
        free = shutil.disk_usage(get_settings().root).free
        yield GaugeMetricFamily("studio_disk_free_bytes", "Free bytes on the data folder's disk", value=free)


REGISTRY.register(Figures())


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(_actor: StudioOwner) -> Response:
    """Figures in Prometheus' text format, for the owner's token."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


class Timed:
    """Measures how long the API's answers take, by route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            if route != "/events":  # a stream's length says nothing about speed
                DURATIONS.labels(scope["method"], route, str(status)).observe(time.perf_counter() - started)
