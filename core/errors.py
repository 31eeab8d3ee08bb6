"""The studio's one family of errors.

Every error a person can meet carries a sentence for them (``title``), what they can do about it (``detail``), the
HTTP status the API answers with, and whether trying again can help. Pages show the sentences, the API turns them into
RFC 9457 problem documents, and the log keeps the trace.
"""

from __future__ import annotations

import errno


class StudioError(Exception):
    """Base of all errors meant to be shown.

    Args:
        title: one sentence in the user's terms.
        detail: what happened exactly, or what to do next.
        retryable: whether the same request may succeed later without a change.
    """

    status = 500
    type = "internal"

    def __init__(self, title: str, detail: str = "", *, retryable: bool = False) -> None:
        super().__init__(f"{title} {detail}".strip())
        self.title = title
        self.detail = detail
        self.retryable = retryable

    def as_dict(self) -> dict[str, object]:
        """The shape stored in ``jobs.error`` and answered by GET /jobs/{id}."""
        return {"type": self.type, "title": self.title, "detail": self.detail, "retryable": self.retryable}


class BadRequest(StudioError):
    """The request itself is malformed (400)."""

    status = 400
    type = "bad-request"


class Unauthenticated(StudioError):
    """Nobody is signed in (401)."""

    status = 401
    type = "unauthenticated"


class Forbidden(StudioError):
    """Signed in, but the role does not allow it (403)."""

    status = 403
    type = "forbidden"


class NotFound(StudioError):
    """It does not exist, or belongs to somebody else (404)."""

    status = 404
    type = "not-found"


class Conflict(StudioError):
    """The current state does not allow it (409)."""

    status = 409
    type = "conflict"


class TooLarge(StudioError):
    """A file or body over the limit (413)."""

    status = 413
    type = "too-large"


class UnsupportedMedia(StudioError):
    """A file that is not media the studio works on, or is damaged (422)."""

    status = 422
    type = "unsupported-media"


class InvalidInput(StudioError):
    """Well-formed, but the values make no sense together (422)."""

    status = 422
    type = "invalid-input"


class TooManyRequests(StudioError):
    """Tried too often in a short time (429)."""

    status = 429
    type = "too-many-requests"

    def __init__(self, title: str, detail: str = "") -> None:
        super().__init__(title, detail, retryable=True)


class ProviderRefused(StudioError):
    """A provider or platform said no (502); ``code`` is its own word for it."""

    status = 502
    type = "provider-refused"

    def __init__(self, title: str, detail: str = "", *, code: str = "", retryable: bool = False) -> None:
        super().__init__(title, detail, retryable=retryable)
        self.code = code

    def as_dict(self) -> dict[str, object]:
        return {**super().as_dict(), "code": self.code}


class NotConfigured(StudioError):
    """A key, a model or a service is missing (503); ``setting`` names it."""

    status = 503
    type = "not-configured"

    def __init__(self, title: str, detail: str = "", *, setting: str) -> None:
        super().__init__(title, detail)
        self.setting = setting

    def as_dict(self) -> dict[str, object]:
        return {**super().as_dict(), "setting": self.setting}


class OutOfSpace(StudioError):
    """The disk is full, or would be (507)."""

    status = 507
    type = "out-of-space"


class EngineFailed(StudioError):
    """An engine that should have worked ended with an error (500)."""

    type = "engine-failed"


class JobCancelled(Exception):
    """Raised inside a running job when its user cancelled it, or a newer attempt took over. Not an error to show."""


def sentence_of(error: OSError) -> str:
    """What a person can do about a file that could not be read or written."""
    name = error.filename or "a file of the studio"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full: {name} could not be written. Free some space and start again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{name} cannot be written ({error.strerror}). Choose another data folder with STUDIO_DATA."
    return f"{name}: {error.strerror or error}"
