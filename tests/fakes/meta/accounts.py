"""Facebook Login: the dialog, the code, the short and the long token, and the Pages behind them."""

from __future__ import annotations

import html
import secrets
from typing import Any
from urllib.parse import urlencode

from tests.fakes.loopback import Dropped
from tests.fakes.meta.answers import Refused, unknown
from tests.fakes.meta.state import SCOPES


class Accounts:
    """Part of the handler."""

    state: Any
    params: dict[str, str]
    headers: Any
    command: str
    _answer: Any
    _misbehave: Any
    _token: Any

    def _dialog(self, path: str) -> None:
        """A person gets a page with two links, a program the answer at once."""
        if path == "dialog/oauth/answer":
            self._answered()
            return
        if path != "dialog/oauth":
            raise unknown(path)
        if self.params.get("client_id") != self.state.app_id or self.params.get("response_type") != "code":
            raise Refused(101, "Missing or invalid client id.")
        where = self.params.get("redirect_uri", "")
        if not where.endswith(("/accounts/facebook/callback", "/accounts/instagram/callback")):
            raise Refused(191, "The redirect_uri is not registered.")
        if not self.params.get("scope") or not self.params.get("state"):
            raise Refused(100, "scope and state are needed")
        if "text/html" in self.headers.get("Accept", ""):
            page = "<!doctype html><title>Login</title><h1>Creator Studio asks to manage your Pages</h1>"
            for answer, words in (("allow", "Continue"), ("deny", "Cancel")):
                query = html.escape(urlencode({**self.params, "answer": answer}))
                page += f'<p><a href="oauth/answer?{query}">{words}</a></p>'
            self._answer(200, page)
        else:
            self._answered()

    def _answered(self) -> None:
        back = {"state": self.params["state"]}
        if self.params.get("answer") == "deny":
            back |= {"error": "access_denied", "error_reason": "user_denied"}
        else:
            back["code"] = secrets.token_urlsafe(24)
            with self.state.lock:
                self.state.codes[back["code"]] = self.params["redirect_uri"]
        self._answer(302, None, {"Location": f"{self.params['redirect_uri']}?{urlencode(back)}"})

    def _access_token(self) -> None:
        """A code becomes a short token (about an hour), a short one a long one (about sixty days)."""
        fault = self._misbehave("oauth")
        state = self.state
        if (self.params.get("client_id"), self.params.get("client_secret")) != (state.app_id, state.app_secret):
            raise Refused(101, "Error validating application. Cannot get application info due to a system error.")
        with state.lock:
            if self.params.get("grant_type") == "fb_exchange_token":
                held = state.tokens.get(self.params.get("fb_exchange_token", ""))
                if held is None or held.kind not in ("short", "long"):
                    raise Refused(190, "Invalid OAuth access token.")
                kind, life = "long", 60 * 86_400
            else:
                if state.codes.pop(self.params.get("code", ""), "") != self.params.get("redirect_uri"):
                    raise Refused(100, "Invalid verification code format.", subcode=36008)
                kind, life = "short", 3600
            token = state.issue(kind, None, SCOPES, life)
            state.record("token", grant=kind)
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        self._answer(200, {"access_token": token, "token_type": "bearer", "expires_in": life})

    def _my_accounts(self) -> None:
        """The Pages picked in the dialog, one a page of the listing, each with a token that has no end of its own."""
        self._misbehave("accounts")
        token = self._token()
        if token.kind not in ("short", "long"):
            raise Refused(100, "Tried accessing nonexisting field (accounts)")
        wanted = self.params.get("fields", "id,name")
        after = int(self.params.get("after", 0))
        with self.state.lock:
            picked = self.state.picked
            pages = [page for page in self.state.pages.values() if picked is None or page.page_id in picked]
            life = 3600 if token.kind == "short" else None
            rows = []
            for page in pages[after : after + 1]:
                row: dict[str, Any] = {
                    "id": page.page_id,
                    "name": page.name,
                    "tasks": list(page.tasks),
                    "access_token": self.state.issue("page", page.page_id, token.scopes, life),
                }
                if page.instagram_id and "instagram_business_account" in wanted:
                    row["instagram_business_account"] = {"id": page.instagram_id, "username": page.username}
                rows.append({name: value for name, value in row.items() if name in wanted})
        answer: dict[str, Any] = {"data": rows}
        if after + 1 < len(pages):
            answer["paging"] = {"cursors": {"after": str(after + 1)}, "next": "https://graph.facebook.com/next"}
        self._answer(200, answer)
