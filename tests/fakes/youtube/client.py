"""How a test starts the loopback YouTube and works its switches."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class FakeYouTube:
    """A running loopback YouTube."""

    url: str
    log: Path
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, log: Path) -> FakeYouTube:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.youtube", "--port", "0", "--log", str(log)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None
        return cls(process.stdout.readline().strip(), log, process)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(5)

    def environment(self) -> dict[str, str]:
        """Settings that point the studio here."""
        return {
            "YOUTUBE_API_BASE": self.url,
            "YOUTUBE_UPLOAD_BASE": self.url,
            "YOUTUBE_ANALYTICS_BASE": self.url,
            "GOOGLE_TOKEN_URL": f"{self.url}/token",
            "GOOGLE_AUTH_URL": f"{self.url}/o/oauth2/v2/auth",
        }

    def _admin(self, method: str, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = httpx.request(method, f"{self.url}/_admin/{what}", json=body, timeout=10)
        answer.raise_for_status()
        loaded: dict[str, Any] = answer.json()
        return loaded

    def account(self, channel_id: str = "UCstudio", **extra: Any) -> dict[str, Any]:
        """A channel; returns ready tokens for POST /publishing/accounts."""
        refresh = f"1//{channel_id}"
        life = float(extra.get("expires_in", 3600))
        body = {"channel_id": channel_id, "title": f"Channel {channel_id}", "refresh_token": refresh, **extra}
        token = self._admin("POST", "accounts", body)["access_token"]
        return {"access_token": token, "refresh_token": refresh, "expires_at": time.time() + life}

    def fault(self, on: str, do: str, **extra: Any) -> None:
        self._admin("POST", "faults", {"on": on, "do": do, **extra})

    def set(self, **values: Any) -> None:
        self._admin("POST", "state", values)

    def posts(self) -> list[dict[str, Any]]:
        posts: list[dict[str, Any]] = self._admin("GET", "posts")["posts"]
        return posts

    def sessions(self) -> int:
        return int(self._admin("GET", "posts")["sessions"])

    def calls(self) -> dict[str, int]:
        calls: dict[str, int] = self._admin("GET", "posts")["calls"]
        return calls

    def logged(self, kind: str) -> list[dict[str, Any]]:
        """Lines of the durable log, read from disk."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["kind"] == kind]
