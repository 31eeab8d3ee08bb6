"""Ways of not answering as asked."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Answer with an error of the Graph API's shape ("Handle Errors")."""

    def __init__(
        self,
        code: int,
        message: str = "",
        *,
        subcode: int | None = None,
        status: int = 400,
        transient: bool = False,
        kind: str = "OAuthException",
        user_message: str = "",
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code, subcode)
        self.status, self.headers = status, headers or {}
        self.error: dict[str, Any] = {
            "message": f"(#{code}) {message}" if message else f"(#{code})",
            "type": kind,
            "code": code,
            "fbtrace_id": "AFake",
        }
        if subcode is not None:
            self.error["error_subcode"] = subcode
        if transient:
            self.error["is_transient"] = True
        if user_message:
            self.error |= {"error_user_title": "Not possible", "error_user_msg": user_message}
        if data is not None:
            self.error["error_data"] = data


def unknown(object_id: str) -> Refused:
    """What Graph says of an object that is not there or not yours."""
    return Refused(
        100,
        f"Unsupported get request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation.",
        subcode=33,
        kind="GraphMethodException",
    )
