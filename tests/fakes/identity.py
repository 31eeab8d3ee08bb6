"""A loopback OpenID provider in a process of its own: ``python -m tests.fakes.identity`` prints its address and serves.

Strict where OpenID Connect Core 1.0 and RFC 6749/7636 are: one client, its one redirect address, ``openid`` among the
scopes, state, nonce and an S256 challenge asked for, codes good once and for a minute, RS256 identity tokens. There is
no consent page: whoever ``POST /_person`` named is signed in there, and ``{}`` declines.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import secrets
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "studio", "loopback-secret"
CODE_SECONDS = 60


class Provider(ThreadingHTTPServer):
    """The keys, who is there, and the codes that were handed out."""

    def __init__(self, redirect_uri: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.redirect_uri = redirect_uri
        self.key = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig"})
        self.person: dict[str, Any] = {}
        self.codes: dict[str, dict[str, Any]] = {}


class Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/.well-known/openid-configuration":
            here = self.server.address
            self._answer(200, {
                "issuer": here, "authorization_endpoint": f"{here}/authorize", "token_endpoint": f"{here}/token",
                "jwks_uri": f"{here}/keys", "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            })  # fmt: skip
        elif url.path == "/keys":
            self._answer(200, {"keys": [self.server.key.as_dict(private=False)]})
        elif url.path == "/authorize":
            self._authorize({name: values[0] for name, values in parse_qs(url.query).items()})
        else:
            self._answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/_person":
            self.server.person = json.loads(body)
            self._answer(200, {})
        elif self.path == "/token":
            self._token(dict(parse_qsl(body.decode())))
        else:
            self._answer(404, {"error": "not_found"})

    def _authorize(self, asked: dict[str, str]) -> None:
        # A wrong client or address is told to the person, never sent to the address (RFC 6749, 4.1.2.1).
        if asked.get("client_id") != CLIENT_ID or asked.get("redirect_uri") != self.server.redirect_uri:
            return self._answer(400, {"error": "invalid_client_or_redirect_uri"})
        back = {"state": asked.get("state", "")}
        sound = (
            asked.get("response_type") == "code"
            and "openid" in asked.get("scope", "").split()
            and asked.get("code_challenge_method") == "S256"
            and all(asked.get(name) for name in ("state", "nonce", "code_challenge"))
        )
        if not sound:
            back["error"] = "invalid_request"
        elif not self.server.person:
            back["error"] = "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.server.codes[back["code"]] = {**asked, "person": dict(self.server.person), "at": time.monotonic()}
        self.send_response(302)
        self.send_header("Location", f"{self.server.redirect_uri}?{urlencode(back)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _token(self, form: dict[str, str]) -> None:
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        pair = base64.b64decode(encoded).decode() if scheme == "Basic" else ""
        if tuple(unquote(part) for part in pair.split(":", 1)) != (CLIENT_ID, CLIENT_SECRET):
            return self._answer(401, {"error": "invalid_client"})
        granted = self.server.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            granted is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != granted["redirect_uri"]
            or challenge != granted["code_challenge"]
            or time.monotonic() - granted["at"] > CODE_SECONDS
        ):
            return self._answer(400, {"error": "invalid_grant"})
        now = int(time.time())
        claims = {
            "iss": self.server.address, "aud": CLIENT_ID, "sub": "person-1", "iat": now, "exp": now + 300,
            "nonce": granted["nonce"], **granted["person"],
        }  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.server.key)
        self._answer(
            200,
            {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300, "id_token": token},
        )

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class FakeIdentity:
    """How a test starts the provider and says who is signed in there."""

    def __init__(self, redirect_uri: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.identity", redirect_uri],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @property
    def settings(self) -> dict[str, str]:
        """The studio's settings that point here."""
        return {
            "OIDC_DISCOVERY_URL": f"{self.url}/.well-known/openid-configuration",
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_NAME": "Example ID",
        }

    def is_there(self, **claims: object) -> None:
        """Who is signed in at the provider; nothing: whoever is asked declines."""
        httpx.post(f"{self.url}/_person", json=claims).raise_for_status()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(5)


def main() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: ends with the test that started it
    provider = Provider(sys.argv[1])
    sys.stdout.write(f"{provider.address}\n")
    sys.stdout.flush()
    provider.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
