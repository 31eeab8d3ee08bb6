"""One request, sent once, for google-api-python-client.

httplib2 sends a POST again when the answer is lost, whatever its retry setting: a lost answer would publish twice. This
transport has the one method the client calls, sends through httpx without any retry, treats 308 as an answer and not as
a redirect, and renews a refused bearer token once: a 401 is proof that nothing was done.
"""

from __future__ import annotations

from typing import Any

import httplib2
import httpx

from core.publishing.oauth import Credentials, Token


class SingleShot:
    """What the client calls ``http``."""

    def __init__(self, credentials: Credentials, *, timeout: float = 60.0) -> None:
        self._credentials = credentials
        self._client = httpx.Client(timeout=httpx.Timeout(timeout, connect=10.0), follow_redirects=False)
        self._token: Token | None = None

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: dict[str, str] | None = None,
        redirections: int = 0,
        connection_type: Any = None,
    ) -> tuple[httplib2.Response, bytes]:
        """Send; returns httplib2's shape of an answer. Raises ``httpx.HTTPError`` when there is none."""
        content = body.read() if hasattr(body, "read") else body
        token = self._token or self._credentials.token()
        answer = self._send(uri, method, content, headers or {}, token)
        if answer.status_code == 401:
            token = self._credentials.renew(token)
            answer = self._send(uri, method, content, headers or {}, token)
        self._token = token
        fields = {name.lower(): value for name, value in answer.headers.items()}
        return httplib2.Response({**fields, "status": str(answer.status_code)}), answer.content

    def _send(self, uri: str, method: str, content: Any, headers: dict[str, str], token: Token) -> httpx.Response:
        # Lengths are httpx's to state; the client's own "content-length: 0" of a probe stays.
        given = {name: value for name, value in headers.items() if name.lower() != "content-length" or not content}
        return self._client.request(
            method, uri, content=content, headers={**given, "Authorization": f"Bearer {token.value}"}
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
