"""The loopback Graph's HTTP side: hosts as paths, tokens and proofs, usage headers, faults; the rooms are mixed in.

It refuses what the vendor's documentation says is refused; nothing in it knows the code under test.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.loopback import Dropped
from tests.fakes.meta.accounts import Accounts
from tests.fakes.meta.admin import Admin
from tests.fakes.meta.answers import Refused, unknown
from tests.fakes.meta.figures import Figures
from tests.fakes.meta.instagram import Instagram
from tests.fakes.meta.pages import Pages
from tests.fakes.meta.state import Fault, Page, State, Token

PIECE = 65_536


class Handler(Pages, Instagram, Figures, Accounts, Admin, BaseHTTPRequestHandler):
    """Routes: ``/{host}/{version}/{object}[/{edge}]``, and the two upload hosts."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    @property
    def state(self) -> State:
        found: State = self.server.state  # type: ignore[attr-defined]
        return found

    def _run(self) -> None:
        url = urlsplit(self.path)
        self._read, self._usage = False, {}
        self.files: dict[str, bytes] = {}
        self.params = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
        try:
            if url.path.startswith("/_admin/"):
                self._admin(url.path.removeprefix("/_admin/"))
                return
            host, _, rest = url.path.lstrip("/").partition("/")
            if host in ("rupload", "ig-rupload"):
                self._upload_host(host, rest)
                return
            self._form()
            version, _, path = rest.partition("/")
            if not re.fullmatch(r"v2[2-9]\.0", version):
                raise Refused(2635, "You are calling a deprecated version of the Graph API.")
            if host == "www":
                self._dialog(path)
            else:
                self._graph(host, path.strip("/"))
        except Dropped:
            self.close_connection = True
        except Refused as refusal:
            self._drain()
            self._answer(refusal.status, {"error": refusal.error}, refusal.headers)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    do_GET = do_POST = do_DELETE = _run

    def _graph(self, host: str, path: str) -> None:
        name, _, edge = path.partition("/")
        if host == "graph" and (name, edge) == ("oauth", "access_token"):
            self._access_token()
        elif host == "graph" and (name, edge) == ("me", "accounts") and self.command == "GET":
            self._my_accounts()
        elif host == "graph-video":
            if edge != "videos" or self.command != "POST":
                raise unknown(name)
            self._page_video(self._page(name))
        elif host == "graph":
            self._page_object(name, edge)
        elif host == "ig-graph":
            self._instagram_object(name, edge)
        else:
            raise unknown(name)

    def _upload_host(self, host: str, rest: str) -> None:
        kind, version, object_id = [*rest.split("/"), "", ""][:3]
        wanted = {"rupload": "video-upload", "ig-rupload": "ig-api-upload"}[host]
        if kind != wanted or self.command != "POST" or not re.fullmatch(r"v\d+\.0", version):
            self._rupload_error(404, "NotFound", "no such upload")
        elif host == "rupload":
            self._reel_bytes(object_id)
        else:
            self._container_bytes(object_id)

    # -- who asks

    def _token(self) -> Token:
        """The token of the request, with its proof.

        Raises:
            Refused: 190 with the subcode that says why, or 100 without a proof.
        """
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        value = self.params.get("access_token") or (value if scheme in ("Bearer", "OAuth") else "")
        token = self.state.tokens.get(value)
        if token is None:
            raise Refused(190, "Invalid OAuth access token.", status=401)
        if token.expires is not None and token.expires <= self.state.now():
            raise Refused(190, "Error validating access token: Session has expired.", subcode=463, status=401)
        if token.subcode is not None:
            raise Refused(190, "Error validating access token.", subcode=token.subcode, status=401)
        proof = hmac.new(self.state.app_secret.encode(), value.encode(), hashlib.sha256).hexdigest()
        given = self.params.get("appsecret_proof", "")
        if given and not hmac.compare_digest(given, proof):
            raise Refused(100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")
        if self.state.needs_proof and not given:
            raise Refused(
                100,
                "API calls from the server require an appsecret_proof argument",
                kind="GraphMethodException",
            )
        return token

    def _page(self, page_id: str, *scopes: str) -> Page:
        """The Page of the request's token, which must be the one that is asked about; the call is counted."""
        token = self._token()
        if token.kind != "page" or token.page_id != page_id:
            raise unknown(page_id)
        self._spend(page_id)
        missing = [name for name in scopes or ("pages_manage_posts",) if name not in token.scopes]
        if missing:
            raise Refused(200, f"Requires {missing[0]} permission to manage the object", status=403)
        return self.state.pages[page_id]

    def _own_page(self, *scopes: str) -> Page:
        """The Page whose token this is."""
        token = self._token()
        if token.kind != "page" or token.page_id is None:
            raise Refused(210, "A page access token is required to request this resource.", status=403)
        return self._page(token.page_id, *scopes)

    def _spend(self, page_id: str) -> None:
        """Count the call; the share used goes out as a header with every answer, and over 100 nothing is done."""
        state = self.state
        with state.lock:
            state.page_spent[page_id] = state.page_spent.get(page_id, 0) + 1
            share = 100 * state.page_spent[page_id] // state.page_allowance
        regain = state.regain_minutes if share >= 100 else 0
        use = {"type": "pages", "call_count": share, "total_cputime": 1, "total_time": 1}
        use["estimated_time_to_regain_access"] = regain
        self._usage = {
            "X-App-Usage": json.dumps({"call_count": share // 10, "total_time": 1, "total_cputime": 1}),
            "X-Business-Use-Case-Usage": json.dumps({page_id: [use]}),
        }
        if share > 100:
            raise Refused(32, "Page request limit reached", status=403, headers=dict(self._usage))

    # -- what was sent

    def _form(self) -> None:
        """Parameters of the body beside those of the address."""
        if self.command != "POST":
            return
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + self._body())
            for part in message.get_payload():
                name = part.get_param("name", header="content-disposition")
                content = part.get_payload(decode=True)
                if part.get_filename() is not None:
                    self.files[str(name)] = content
                    self.filename = part.get_filename()
                else:
                    self.params[str(name)] = content.decode()
        elif kind.startswith("application/x-www-form-urlencoded"):
            found = parse_qs(self._body().decode(), keep_blank_values=True)
            self.params |= {key: values[0] for key, values in found.items()}

    def _body(self) -> bytes:
        self._read = True
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    _read = False

    def _drain(self) -> None:
        """Read what the client still sends, so that it can read our refusal; a long rest ends the connection."""
        if not self._read:
            rest = int(self.headers.get("Content-Length", 0))
            if rest <= 64 * 1024 * 1024:
                self.rfile.read(rest)
            else:
                self.close_connection = True
        self._read = True

    def _take(self, upload: Any, fault: Fault | None) -> None:
        """The bytes of an upload host: the rest of the file from ``offset`` on, kept as they come."""
        offset, size = self.headers.get("offset", ""), self.headers.get("file_size", "")
        length = int(self.headers.get("Content-Length", -1))
        if not offset.isdigit() or not size.isdigit() or not int(size):
            raise Refused(100, "offset and file_size are required")
        upload.total = upload.total or int(size)
        if int(size) != upload.total or length != upload.total - int(offset):
            raise Refused(100, "the length does not fit")
        if int(offset) != upload.kept:
            raise Refused(100, f"OffsetInvalidError: {upload.kept} expected")
        self._read = True
        left = length
        limit = fault.bytes if fault is not None and fault.do == "cut" else left + 1
        while left:
            piece = self.rfile.read(min(left, PIECE, limit))
            if not piece:
                raise Dropped
            left -= len(piece)
            limit -= len(piece)
            upload.digest.update(piece)
            upload.kept += len(piece)
            upload.received += len(piece)
            if limit <= 0:
                raise Dropped

    # -- answering

    def _misbehave(self, on: str, page_id: str | None = None) -> Fault | None:
        """Faults that need nothing done first; others are returned for the handler to do."""
        fault = self.state.fault(on, page_id)
        if fault is None:
            return None
        if fault.do == "error":
            raise fault.refusal()
        if fault.do == "drop_before":
            raise Dropped
        if fault.do == "stall":
            time.sleep(fault.seconds)
            return None
        return fault

    def _afterwards(self, fault: Fault | None) -> None:
        """What was done is done; the caller does not hear of it."""
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        if fault is not None and fault.do == "error_after":
            raise fault.refusal()

    def _rupload_error(self, status: int, kind: str, message: str, *, retriable: bool = False) -> None:
        self._drain()
        self._answer(status, {"debug_info": {"retriable": retriable, "type": kind, "message": message}})

    def _answer(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        page = isinstance(body, str)
        raw = body.encode() if page else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{'text/html' if page else 'application/json'}; charset=UTF-8")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in {**self._usage, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)
