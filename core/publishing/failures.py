"""How a platform's refusal is classed. The class decides what happens next; it is read from structured fields only."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from core.errors import ProviderRefused

ErrorClass = Literal["transient", "throttled", "auth", "rejected", "unknown_outcome", "quota", "preflight"]


class PlatformFailure(ProviderRefused):
    """A call to a platform that did not do what was asked.

    Args:
        error_class: ``transient`` (back off, same attempt), ``throttled`` and ``quota`` (nothing before ``retry_at``),
            ``auth`` (reconnect), ``rejected`` (final, show the reason), ``unknown_outcome`` (look before repeating).
        code: the platform's own word for it.
        retry_at: the earliest next call, for throttled and quota.
        whole_application: the limit is our project's, not the account's.
        limit_kind: the kind of calls that is limited.
    """

    type = "platform-refused"

    def __init__(
        self,
        title: str,
        detail: str = "",
        *,
        error_class: ErrorClass,
        code: str = "",
        retry_at: datetime | None = None,
        whole_application: bool = False,
        limit_kind: str = "*",
    ) -> None:
        super().__init__(title, detail, code=code, retryable=error_class in ("transient", "throttled", "quota"))
        self.error_class: ErrorClass = error_class
        self.retry_at = retry_at
        self.whole_application = whole_application
        self.limit_kind = limit_kind

    def as_dict(self) -> dict[str, object]:
        retry_at = self.retry_at.isoformat() if self.retry_at else None
        return {**super().as_dict(), "class": self.error_class, "retry_at": retry_at}
