"""Ways of not answering as asked."""

from __future__ import annotations


class Refused(Exception):
    """Answer with an error of the Data API's shape."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str = "",
        domain: str = "youtube.api",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.headers = headers or {}
        self.status, self.reason, self.message, self.domain = status, reason, message or reason, domain
