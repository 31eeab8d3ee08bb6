"""The tests' own switches of the loopback TikTok, and its notifications."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import httpx

from tests.fakes import loopback
from tests.fakes.loopback import Fault
from tests.fakes.tiktok.rules import Refused
from tests.fakes.tiktok.state import Creator, State


class Admin(loopback.Handler):
    """Part of the handler."""

    @property
    def state(self) -> State:
        return self.server.state  # type: ignore[attr-defined,no-any-return]

    def _admin(self, what: str) -> None:
        state = self.state
        body = json.loads(self.body() or b"{}")
        if what == "webhook" and self.command == "POST":
            self.answer(200, {"statuses": [self._notify(**body)]})
            return
        with state.lock:
            if what == "accounts" and self.command == "POST":
                life = body.pop("expires_in", None)
                creator = Creator(**body)
                state.creators[creator.open_id] = creator
                self.answer(200, {"access_token": state.issue(creator.open_id, life)})
            elif what == "faults" and self.command == "POST":
                state.faults.pending.append(Fault(**body))
                self.answer(200, {})
            elif what == "posts":
                held = [
                    {name: value for name, value in vars(each).items() if name not in ("digest", "lock")}
                    | {"sha256": each.digest.hexdigest(), "complete": each.complete}
                    for each in state.uploads.values()
                ]
                posts = [each for each in held if each["complete"]]
                self.answer(200, {"posts": posts, "uploads": held, "calls": state.faults.calls})
            elif what == "state" and self.command == "POST":
                self._set(body)
                self.answer(200, {})
            else:
                self.answer(404, {})

    def _set(self, body: dict[str, Any]) -> None:
        """Any plain attribute; ``expire_tokens``, ``forget`` the rate windows, change an ``account`` or a ``post``."""
        state = self.state
        for name, value in body.items():
            if name == "expire_tokens":
                state.access.clear()
            elif name == "forget":
                state.windows.clear()
            elif name == "account":
                for key, item in value.items():
                    setattr(state.creators[value["open_id"]], key, item)
            elif name == "post":
                upload = state.uploads[value.pop("publish_id")]
                if value.pop("moderated", False):
                    state.moderate(upload)
                for key, item in value.items():
                    setattr(upload, key, item)
            elif hasattr(state, name) and not callable(getattr(state, name)):
                setattr(state, name, value)
            else:
                raise Refused(400, "unknown_switch", name)

    def _notify(
        self, url: str, event: str, publish_id: str = "", open_id: str = "", secret: str | None = None,
        age: float = 0.0, create_time: int | None = None, **content: Any,
    ) -> int:  # fmt: skip
        """Send a notification, signed over the raw body; a wrong ``secret`` or an ``age`` in seconds makes it bad."""
        upload = self.state.uploads.get(publish_id)
        inside: dict[str, Any] = dict(content)
        if upload is not None:
            inside |= {"publish_id": publish_id, "publish_type": "DIRECT_PUBLISH"}
            if "publicly" in event or "publicaly" in event:
                inside["post_id"] = str(self.state.moderate(upload))
        body = json.dumps(
            {
                "client_key": self.state.client[0],
                "event": event,
                "create_time": create_time or int(time.time()),
                "user_openid": open_id or (upload.open_id if upload else ""),
                "content": json.dumps(inside),
            }
        ).encode()
        at = int(time.time() - age)
        key = (secret or self.state.client[1]).encode()
        signature = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "TikTok-Signature": f"t={at},s={signature}"}
        return httpx.post(url, content=body, headers=headers, timeout=10).status_code
