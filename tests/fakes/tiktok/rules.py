"""What TikTok refuses of a new post (Content Posting API: "Direct Post" and "Media Transfer Guide")."""

from __future__ import annotations

from typing import Any

from tests.fakes.tiktok.state import Creator

MEBI, MEGA = 2**20, 10**6
CAPTION = 2200
POST_INFO = {
    "privacy_level": str,
    "title": str,
    "disable_duet": bool,
    "disable_comment": bool,
    "disable_stitch": bool,
    "video_cover_timestamp_ms": int,
    "brand_content_toggle": bool,
    "brand_organic_toggle": bool,
    "is_aigc": bool,
}


class Refused(Exception):
    """Answer in the API's envelope; the code counts, not the status."""

    def __init__(self, status: int, code: str, message: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message or code, headers or {}


def check_post(creator: Creator, post: dict[str, Any], *, audited: bool) -> None:
    """Raise :class:`Refused` for a post that may not be opened."""
    if creator.banned:
        raise Refused(403, "spam_risk_user_banned_from_posting")
    if creator.posts_today >= creator.posts_allowed:
        raise Refused(403, "spam_risk_too_many_posts", "Daily post cap from the API is reached for the current user.")
    for name, value in post.items():
        if name not in POST_INFO or type(value) is not POST_INFO[name]:
            raise Refused(400, "invalid_params", f"post_info.{name}")
    if post.get("privacy_level") not in creator.privacy_options:
        raise Refused(403, "privacy_level_option_mismatch")
    if not audited and not (creator.private and post["privacy_level"] == "SELF_ONLY"):
        raise Refused(403, "unaudited_client_can_only_post_to_private_accounts")
    if len(post.get("title", "").encode("utf-16-le")) // 2 > CAPTION:
        raise Refused(400, "invalid_params", "post_info.title")
    if post.get("brand_content_toggle") and post["privacy_level"] == "SELF_ONLY":
        raise Refused(403, "privacy_level_option_mismatch", "Branded content cannot be private.")
    for name in ("comment", "duet", "stitch"):
        if getattr(creator, f"{name}_disabled") and not post.get(f"disable_{name}"):
            raise Refused(400, "invalid_params", f"The creator has {name} switched off.")


def check_chunks(size: Any, chunk: Any, count: Any) -> None:
    """The chunk arithmetic, within both readings of "MB" (10^6 and 2^20 bytes)."""
    if any(type(value) is not int or value <= 0 for value in (size, chunk, count)):
        raise Refused(400, "invalid_params", "source_info")
    if count != size // chunk or not 1 <= count <= 1000:
        raise Refused(400, "invalid_params", "The total chunk count is invalid")
    if chunk == size:
        if size > 64 * MEGA:
            raise Refused(400, "invalid_params", "A file of this size has several chunks")
        return
    last = size - chunk * (count - 1)
    if size < 5 * MEBI or not 5 * MEBI <= chunk <= 64 * MEGA or last > 128 * MEGA:
        raise Refused(400, "invalid_params", "The chunk size is invalid")
