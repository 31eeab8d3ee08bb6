"""Is this container's process at work? Health check of docker-compose.yml; exit status 0 or 1.

python -m core.tools.healthy app         the API answers
python -m core.tools.healthy worker      a worker of this host has sent its heartbeat to Redis
python -m core.tools.healthy services    the database and Redis answer
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping

import httpx
from rq import Worker
from sqlalchemy import text

from core import database
from core.jobs.queue import connection
from core.settings import get_settings


def app() -> bool:
    """GET /api/health on the app's own port finds the database. It answers 503 as soon as any part of the studio is
    failing, missing workers included; those are other containers, which have checks of their own."""
    answer = httpx.get(f"http://127.0.0.1:{get_settings().port}/api/health", timeout=8)
    return answer.status_code in (200, 503) and answer.json().get("database") == "ok"


def worker() -> bool:
    """RQ forgets a worker whose heartbeat stays away, so a worker that is still listed is alive."""
    names = [str(each.name) for each in Worker.all(connection=connection(), serializer="json")]
    return any(name.startswith(f"{socket.gethostname()}-") for name in names)


def services() -> bool:
    """What a dispatcher needs: both servers answer."""
    with database.engine().connect() as opened:
        answered = opened.execute(text("SELECT 1")).scalar_one() == 1
    return answered and bool(connection().ping())


CHECKS: Mapping[str, Callable[[], bool]] = {"app": app, "worker": worker, "services": services}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in CHECKS:
        sys.stderr.write(f"usage: python -m core.tools.healthy {'|'.join(CHECKS)}\n")
        return 2
    return 0 if CHECKS[arguments[0]]() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
