"""The tests' own switches: accounts, faults, state, and what was posted."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes import loopback
from tests.fakes.loopback import Fault
from tests.fakes.youtube.answers import Refused
from tests.fakes.youtube.state import Account, State


class Admin(loopback.Handler):
    """Part of the handler."""

    @property
    def state(self) -> State:
        return self.server.state  # type: ignore[attr-defined,no-any-return]

    def _admin(self, what: str) -> None:
        state = self.state
        body = json.loads(self.body() or b"{}")
        with state.lock:
            if what == "accounts" and self.command == "POST":
                life = body.pop("expires_in", None)
                account = Account(**body)
                state.accounts[account.channel_id] = account
                self.answer(200, {"access_token": state.issue(account.channel_id, life)})
            elif what == "faults" and self.command == "POST":
                state.faults.pending.append(Fault(**body))
                self.answer(200, {})
            elif what == "faults" and self.command == "DELETE":
                state.faults.pending.clear()
                self.answer(200, {})
            elif what == "posts":
                videos = [
                    {**vars(video), "title": video.snippet["title"], "description": video.snippet["description"]}
                    for video in state.videos.values()
                ]
                self.answer(200, {"posts": videos, "sessions": len(state.sessions), "calls": state.faults.calls})
            elif what == "state" and self.command == "POST":
                self._set(body)
                self.answer(200, {})
            elif what == "health":
                self.answer(200, {})
            else:
                self.answer(404, {})

    def _set(self, body: dict[str, Any]) -> None:
        """Any plain attribute, and: ``expire_tokens``, ``revoke``/``restore``/``account`` a channel, ``video``."""
        state = self.state
        for name, value in body.items():
            if name == "expire_tokens":
                state.access.clear()
            elif name == "account":
                for key, item in value.items():
                    if key != "channel_id":
                        setattr(state.accounts[value["channel_id"]], key, item)
            elif name == "video":
                video = state.videos[value["video_id"]]
                video.statistics |= {key: str(item) for key, item in value.get("statistics", {}).items()}
                video.status |= value.get("status", {})
                video.deleted = value.get("deleted", video.deleted)
            elif name == "spent":
                state.reset_quota()
                state.inserts, state.units = value.get("inserts", state.inserts), value.get("units", state.units)
            elif hasattr(state, name) and not callable(getattr(state, name)):
                setattr(state, name, value)
            else:
                raise Refused(400, "unknownSwitch", name)
