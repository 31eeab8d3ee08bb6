"""How a test starts the loopback TikTok and works its switches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.loopback import Running, in_future


class FakeTikTok(Running):
    """A running loopback TikTok."""

    @classmethod
    def start(cls, log: Path) -> FakeTikTok:
        return cls.start_module("tests.fakes.tiktok", log)

    def environment(self) -> dict[str, str]:
        """Settings that point the studio here."""
        return {
            "TIKTOK_API_BASE": self.url,
            "TIKTOK_AUTH_URL": f"{self.url}/v2/auth/authorize/",
            "TIKTOK_CLIENT_KEY": "studio-key",
            "TIKTOK_CLIENT_SECRET": "studio-secret",
        }

    def account(self, open_id: str = "creator", **extra: Any) -> dict[str, Any]:
        """A creator; returns ready tokens for POST /publishing/accounts."""
        life = float(extra.get("expires_in", 86_400))
        refresh = f"rft.{open_id}"
        body = {
            "open_id": open_id,
            "username": f"{open_id}.name",
            "nickname": f"Creator {open_id}",
            "refresh_token": refresh,
            **extra,
        }
        token = self.admin("POST", "accounts", body)["access_token"]
        return {"access_token": token, "refresh_token": body["refresh_token"], "expires_at": in_future(life)}

    def uploads(self) -> list[dict[str, Any]]:
        """Every publish id, posts or not."""
        found: list[dict[str, Any]] = self.admin("GET", "posts")["uploads"]
        return found

    def notify(self, url: str, event: str, **values: Any) -> int:
        """Have it send a notification; the status it was answered with."""
        answer = self.admin("POST", "webhook", {"url": url, "event": event, **values})
        return int(answer["statuses"][0])
