"""How a test starts the loopback YouTube and works its switches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.loopback import Running, in_future


class FakeYouTube(Running):
    """A running loopback YouTube."""

    @classmethod
    def start(cls, log: Path) -> FakeYouTube:
        return cls.start_module("tests.fakes.youtube", log)

    def environment(self) -> dict[str, str]:
        """Settings that point the studio here."""
        return {
            "YOUTUBE_API_BASE": self.url,
            "YOUTUBE_UPLOAD_BASE": self.url,
            "YOUTUBE_ANALYTICS_BASE": self.url,
            "GOOGLE_TOKEN_URL": f"{self.url}/token",
            "GOOGLE_AUTH_URL": f"{self.url}/o/oauth2/v2/auth",
        }

    def account(self, channel_id: str = "UCstudio", **extra: Any) -> dict[str, Any]:
        """A channel; returns ready tokens for POST /publishing/accounts."""
        refresh = f"1//{channel_id}"
        life = float(extra.get("expires_in", 3600))
        body = {"channel_id": channel_id, "title": f"Channel {channel_id}", "refresh_token": refresh, **extra}
        token = self.admin("POST", "accounts", body)["access_token"]
        return {"access_token": token, "refresh_token": refresh, "expires_at": in_future(life)}

    def sessions(self) -> int:
        return int(self.admin("GET", "posts")["sessions"])
