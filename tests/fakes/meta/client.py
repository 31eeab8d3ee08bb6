"""How a test starts the loopback Graph and works its switches."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.loopback import Running

VERSION = "v25.0"


def signed(secret: str, payload: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A delivery as the platform sends it: escaped unicode, and slashes escaped too; signed over these bytes."""
    raw = json.dumps(payload, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return raw, {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


@dataclass
class FakeMeta(Running):
    """A running loopback Graph."""

    app_secret: str = "hush"

    @classmethod
    def start(cls, log: Path) -> FakeMeta:
        return cls.start_module("tests.fakes.meta", log)

    def environment(self) -> dict[str, str]:
        """Settings that point the studio here: every host is another path."""
        return {
            "FACEBOOK_GRAPH_BASE": f"{self.url}/graph",
            "FACEBOOK_VIDEO_BASE": f"{self.url}/graph-video",
            "FACEBOOK_RUPLOAD_BASE": f"{self.url}/rupload",
            "FACEBOOK_DIALOG_BASE": f"{self.url}/www",
            "INSTAGRAM_GRAPH_BASE": f"{self.url}/ig-graph",
            "INSTAGRAM_RUPLOAD_BASE": f"{self.url}/ig-rupload",
            "META_GRAPH_VERSION": VERSION,
            "META_APP_ID": "4711",
            "META_APP_SECRET": self.app_secret,
        }

    def page(self, page_id: str = "1001", **extra: Any) -> dict[str, Any]:
        """A Page (with its Instagram account where ``instagram_id`` is given); returns ready tokens."""
        body = {"page_id": page_id, "name": f"Page {page_id}", **extra}
        return {"access_token": self.admin("POST", "pages", body)["access_token"]}

    def opened(self) -> int:
        """How many uploads and containers were opened."""
        return int(self.admin("GET", "posts")["opened"])
