"""The Graph API for one account: each request sent once, its token in a header, with the app's proof.

Reading is repeated by us on passing trouble, changing never. A full usage header holds the account's calls back before
the platform has to refuse one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from core import database
from core.publishing import limits, meta_oauth
from core.publishing.failures import PlatformFailure
from core.publishing.oauth import Credentials
from core.settings import get_settings
from providers.publishing.meta_errors import classify, regained, unreachable, used_up

TRIES = 5
PIECE = 1024 * 1024
Pause = Callable[[float], None]


class GraphClient:
    """``base`` is the host that reads and changes; other hosts are named by the call."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        name: str,
        base: str,
        app_secret: str = "",
        account_id: UUID | None = None,
        pause: Pause = time.sleep,
        timeout: float = 60.0,
    ) -> None:
        self.name, self._base, self._secret = name, base, app_secret
        self._credentials, self._account_id = credentials, account_id
        self._held_until: datetime | None = None
        self._pause = pause
        self._http = httpx.Client(timeout=httpx.Timeout(timeout, connect=10.0), follow_redirects=False)

    def read(self, path: str, **query: str) -> dict[str, Any]:
        """GET, repeated on passing trouble."""
        for attempt in range(TRIES):
            try:
                return self._call("GET", path, query=query)
            except PlatformFailure as failure:
                if failure.error_class != "transient" or attempt == TRIES - 1:
                    raise
                self._pause(back_off(attempt + 1))
        raise AssertionError("unreachable")

    def change(
        self,
        path: str,
        form: dict[str, str],
        *,
        method: str = "POST",
        base: str = "",
        files: dict[str, tuple[str, bytes]] | None = None,
        mutation: bool = True,
    ) -> dict[str, Any]:
        """POST or DELETE, sent once. ``mutation`` False: a call that makes nothing anybody can see, so that its
        passing trouble may be answered by doing it again."""
        return self._call(method, path, form=form, base=base, files=files, mutation=mutation)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
        base: str = "",
        files: dict[str, tuple[str, bytes]] | None = None,
        mutation: bool = False,
    ) -> dict[str, Any]:
        self._wait()
        token = self._credentials.token().value
        where = f"{(base or self._base).rstrip('/')}/{get_settings().meta_graph_version}/{path}"
        proof = meta_oauth.proof(self._secret, token)
        try:
            answer = self._http.request(
                method,
                where,
                params=None if method == "POST" else {**(query or {}), **proof},
                data={**(form or {}), **proof} if method == "POST" else None,
                files=files,
                headers={"Authorization": f"Bearer {token}"},
            )
        except httpx.HTTPError as error:
            raise unreachable(error, name=self.name, mutation=mutation) from error
        if used_up(answer.headers):
            self._hold(answer)
        if answer.status_code != 200:
            raise classify(answer.status_code, answer.content, answer.headers, name=self.name, mutation=mutation)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise classify(502, b"", {}, name=self.name, mutation=mutation)
        return body

    def _hold(self, answer: httpx.Response) -> None:
        """This was the last call that is taken: nothing more is asked with this account until the platform says so."""
        self._held_until = datetime.now(UTC) + regained(answer.headers)
        if self._account_id is not None:
            with database.session() as session:
                limits.block(session, self.name.lower(), self._account_id, "*", self._held_until, self._pausing())

    def _wait(self) -> None:
        if self._held_until is not None and datetime.now(UTC) < self._held_until:
            raise PlatformFailure(self._pausing(), error_class="throttled", code="usage", retry_at=self._held_until)

    def _pausing(self) -> str:
        return f"{self.name} asks for a pause."

    def send(self, url: str, host: str, path: Path, offset: int, size: int, tell: Callable[[int], None]) -> None:
        """The file from ``offset`` on to an upload host, which keeps what arrives; ``tell`` hears how far it is.

        Raises:
            PlatformFailure: ``transient`` when it broke off: ask how much has arrived, then go on.
        """
        if not url.startswith(host.rstrip("/") + "/"):
            title = f"{self.name} named an upload address that is not its own."
            raise PlatformFailure(title, error_class="rejected", code="upload-address")
        self._wait()
        token = self._credentials.token().value
        headers = {
            "Authorization": f"OAuth {token}",
            "offset": str(offset),
            "file_size": str(size),
            "Content-Length": str(size - offset),
            "Content-Type": "application/octet-stream",
        }
        try:
            answer = self._http.post(url, content=_rest(path, offset, tell), headers=headers)
        except httpx.HTTPError as error:
            raise unreachable(error, name=self.name) from error
        if answer.status_code != 200:
            raise classify(answer.status_code, answer.content, answer.headers, name=self.name)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _rest(path: Path, offset: int, tell: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while piece := file.read(PIECE):
            yield piece
            offset += len(piece)
            tell(offset)


def back_off(failures: int) -> float:
    """Full jitter, 2^n tenths of a second, at most 8 s."""
    return random.uniform(0, min(0.1 * 2**failures, 8.0))
