"""Paths of the specification that are not built yet: they say so (501) instead of pretending not to exist.

A path leaves this table when its room answers it; docs/status.md names the same gaps.
"""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import CurrentActor
from api.problems import Problem

_MISSING = (("POST", "/audio/podcast", "put podcasts together", "POST /audio/import takes a recording's sound."),)

router = APIRouter(include_in_schema=False)


def _say(what: str, instead: str) -> Problem:
    return Problem(501, f"The studio cannot {what} yet.", instead, type="not-built", retryable=False)


def _add(method: str, path: str, what: str, instead: str) -> None:
    async def answer(_actor: CurrentActor) -> Problem:
        return _say(what, instead)

    router.add_api_route(path, answer, methods=[method], response_model=None, name=f"unbuilt {method} {path}")


for missing in _MISSING:
    _add(*missing)
