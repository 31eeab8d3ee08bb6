"""The tests' own switches: pages, faults, state, and what was posted."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.meta.answers import Refused
from tests.fakes.meta.state import SCOPES, Fault, Page

_HIDDEN = ("digest", "lock")


class Admin:
    """Part of the handler."""

    state: Any
    command: str
    _answer: Any
    _body: Any

    def _admin(self, what: str) -> None:
        state = self.state
        body = json.loads(self._body() or b"{}")
        with state.lock:
            if what == "pages" and self.command == "POST":
                life = body.pop("expires_in", None)
                scopes = tuple(body.pop("scopes", SCOPES))
                page = Page(**body)
                state.pages[page.page_id] = page
                self._answer(200, {"access_token": state.issue("page", page.page_id, scopes, life)})
            elif what == "faults" and self.command == "POST":
                state.faults.append(Fault(**body))
                self._answer(200, {})
            elif what == "faults" and self.command == "DELETE":
                state.faults.clear()
                self._answer(200, {})
            elif what == "posts":
                self._answer(200, self._posts())
            elif what == "state" and self.command == "POST":
                self._set(body)
                self._answer(200, {})
            elif what == "health":
                self._answer(200, {})
            else:
                self._answer(404, {})

    def _posts(self) -> dict[str, Any]:
        state = self.state
        for video in state.videos.values():
            state.keep_time(video)
        posts = [
            {name: value for name, value in vars(video).items() if name not in _HIDDEN}
            | {"sha256": video.digest.hexdigest()}
            for video in state.videos.values()
            if video.finished
        ]
        posts += [{**vars(media), "kind": "instagram"} for media in state.media.values()]
        return {"posts": posts, "opened": len(state.videos) + len(state.containers), "calls": state.calls}

    def _set(self, body: dict[str, Any]) -> None:
        """Any plain attribute, and: ``refuse_tokens`` (a subcode), ``video``, ``media``, ``container``."""
        state = self.state
        kept = {"video": state.videos, "media": state.media, "container": state.containers}
        for name, value in body.items():
            if name == "refuse_tokens":
                for token in state.tokens.values():
                    token.subcode = value
            elif name in kept:
                found = kept[name][value.pop("id")]
                for key, item in value.items():
                    setattr(found, key, item)
            elif hasattr(state, name) and not callable(getattr(state, name)):
                setattr(state, name, value)
            else:
                raise Refused(100, name)
