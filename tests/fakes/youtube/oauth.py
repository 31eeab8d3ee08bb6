"""Google's consent page and token endpoint: PKCE (RFC 7636), rotation, invalid_grant."""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.fakes.loopback import Dropped
from tests.fakes.youtube.answers import Refused


class OAuth:
    """Part of the handler."""

    state: Any
    query: dict[str, str]
    headers: Any
    answer: Any
    body: Any
    _misbehave: Any

    def _token(self) -> None:
        form = {key: values[0] for key, values in parse_qs(self.body().decode()).items()}
        fault = self._misbehave("token")
        kind = form.get("grant_type")
        with self.state.lock:
            registered = [form.get("client_id"), form.get("client_secret")]
            if self.state.client is not None and list(self.state.client) != registered:
                self.answer(401, {"error": "invalid_client", "error_description": "The OAuth client was not found."})
                return
            if kind == "refresh_token":
                account = next(
                    (a for a in self.state.accounts.values() if a.refresh_token == form.get("refresh_token")), None
                )
                if account is None or account.revoked:
                    self.answer(
                        400,
                        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
                    )
                    return
                answer: dict[str, Any] = {"token_type": "Bearer", "scope": account.scope}
                if account.rotates:
                    account.refresh_token = "1//" + secrets.token_urlsafe(24)
                    answer["refresh_token"] = account.refresh_token
            elif kind == "authorization_code":
                channel_id, challenge, redirect = self.state.codes.pop(form.get("code", ""), ("", "", ""))
                verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
                wrong = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() != challenge
                if not channel_id or wrong or redirect != form.get("redirect_uri"):
                    self.answer(400, {"error": "invalid_grant", "error_description": "Bad code."})
                    return
                account = self.state.accounts[channel_id]
                answer = {"token_type": "Bearer", "scope": account.scope, "refresh_token": account.refresh_token}
            else:
                self.answer(400, {"error": "unsupported_grant_type"})
                return
            answer |= {
                "access_token": self.state.issue(account.channel_id),
                "expires_in": self.state.token_life,
            }
            self.state.record("token", channel_id=account.channel_id, grant=kind)
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        self.answer(200, answer)

    def _consent(self) -> None:
        """A person gets a page with two links, a program the answer at once. The only redirect addresses are ours."""
        wanted = {
            "code_challenge_method": "S256",
            "access_type": "offline",
            "prompt": "consent",
            "response_type": "code",
        }
        if any(self.query.get(name) != value for name, value in wanted.items()) or not self.query.get("scope"):
            raise Refused(400, "invalid_request")
        if not self.query["redirect_uri"].endswith("/api/publishing/accounts/youtube/callback"):
            raise Refused(400, "redirect_uri_mismatch")
        if "text/html" in self.headers.get("Accept", ""):
            page = "<!doctype html><title>Consent</title><h1>Creator Studio wants access</h1>"
            for answer, words in (("allow", "Allow"), ("deny", "Cancel")):
                query = html.escape(urlencode({**self.query, "answer": answer}))
                page += f'<p><a href="/o/oauth2/v2/answer?{query}">{words}</a></p>'
            self.answer(200, page)
        else:
            self._answered()

    def _answered(self) -> None:
        """Send the browser back with a code, or with the word that the user declined (RFC 6749, section 4.1.2)."""
        back = {"state": self.query["state"]}
        if self.query.get("answer") == "deny":
            back["error"] = "access_denied"
        else:
            code = back["code"] = secrets.token_urlsafe(16)
            with self.state.lock:
                channel_id = next(iter(self.state.accounts))
                self.state.codes[code] = (channel_id, self.query["code_challenge"], self.query["redirect_uri"])
        self.answer(302, None, {"Location": f"{self.query['redirect_uri']}?{urlencode(back)}"})
