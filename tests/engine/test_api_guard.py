"""The gate: hosts, origins, web sockets, first visit, sign-in (S1)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core import database
from core.models.identity import User
from core.security import Actor, set_password
from core.settings import Settings
from tests.engine.api_server import Served, serve, token_of

HTML = {"Accept": "text/html"}
PASSWORD = "a long enough password"


@pytest.fixture
def served(studio: Settings) -> Iterator[Served]:
    with serve() as found:
        yield found


def signed_up(owner: Actor) -> None:
    with database.session() as session:
        set_password(session.get_one(User, owner.user_id), "owner@example.com", PASSWORD)


def problem(answer: httpx.Response, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["status"] == status
    assert body["title"]
    return body


def test_unknown_host_is_refused_everywhere(served: Served) -> None:
    for path in ("/", "/api/health", "/vendor/x.js", "/_stcore/health"):
        problem(httpx.get(served.url + path, headers={"Host": f"evil.example:{served.port}"}), 421)
    assert httpx.get(served.url + "/", headers={"Host": f"localhost:{served.port}"}).status_code == 200


def test_first_page_signs_the_owner_in_over_loopback(served: Served) -> None:
    with served.client() as client:
        assert client.get("/api/sessions").status_code == 401
        page = client.get("/", headers=HTML)
        assert page.status_code == 200
        cookie = page.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert client.get("/api/sessions").json()["role"] == "owner"
        assert "set-cookie" not in client.get("/", headers=HTML).headers


def test_no_cookie_for_anything_but_a_page(served: Served) -> None:
    for path, headers in (("/", {"Accept": "*/*"}), ("/api/health", HTML), ("/vendor/x.js", HTML)):
        assert "set-cookie" not in httpx.get(served.url + path, headers=headers).headers


def test_once_somebody_signed_up_pages_ask_for_the_password(served: Served, owner: Actor) -> None:
    signed_up(owner)
    with served.client() as client:
        page = client.get("/video", headers=HTML)
        assert page.status_code == 303
        assert page.headers["location"] == "/api/sign-in?next=/video"
        form = client.get(page.headers["location"])
        assert form.status_code == 200
        assert 'autocomplete="current-password"' in form.text
        origin = {"Origin": served.url}
        wrong = {"email": "owner@example.com", "password": "not the password", "next": "/video"}
        assert client.post("/api/sessions", data=wrong, headers=origin).status_code == 401
        right = client.post("/api/sessions", data={**wrong, "password": PASSWORD}, headers=origin)
        assert right.status_code == 303
        assert right.headers["location"] == "/video"
        assert client.get("/video", headers=HTML).status_code == 200
        assert client.delete("/api/sessions", headers=origin).status_code == 204
        assert client.get("/video", headers=HTML).status_code == 303


def test_sign_in_never_leads_to_another_site(served: Served, owner: Actor) -> None:
    signed_up(owner)
    with served.client() as client:
        for target in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
            form = {"email": "owner@example.com", "password": PASSWORD, "next": target}
            answer = client.post("/api/sessions", data=form, headers={"Origin": served.url})
            assert answer.headers["location"] == "/"


def test_ten_wrong_passwords_and_the_right_one_waits(served: Served, owner: Actor) -> None:
    from api.sessions import attempts

    signed_up(owner)
    body = {"email": "owner@example.com", "password": "wrong"}
    try:
        with served.client() as client:
            for _ in range(10):
                answer = client.post("/api/sessions", json=body, headers={"Origin": served.url})
                problem(answer, 401)
            body["password"] = PASSWORD
            problem(client.post("/api/sessions", json=body, headers={"Origin": served.url}), 429)
    finally:
        attempts.forget("email owner@example.com", "peer 127.0.0.1")


def test_a_password_is_changed_with_the_current_one_and_ends_other_sessions(served: Served) -> None:
    origin = {"Origin": served.url}
    wanted = {"email": "owner@example.com", "password": PASSWORD}
    with served.client() as mine, served.client() as elsewhere:
        for client in (mine, elsewhere):
            client.get("/", headers=HTML)
            assert client.get("/api/sessions").status_code == 200
        assert (
            mine.put("/api/sessions/password", json={**wanted, "password": "short"}, headers=origin).status_code == 422
        )
        assert mine.put("/api/sessions/password", json=wanted, headers=origin).status_code == 204
        assert mine.get("/api/sessions").json()["email"] == "owner@example.com"
        assert elsewhere.get("/api/sessions").status_code == 401
        another = {**wanted, "password": "another long password"}
        problem(mine.put("/api/sessions/password", json=another, headers=origin), 403)
        right = mine.put("/api/sessions/password", json={**another, "current_password": PASSWORD}, headers=origin)
        assert right.status_code == 204


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_changes_from_elsewhere_are_refused(served: Served, headers: dict[str, str]) -> None:
    with served.client() as client:
        client.get("/", headers=HTML)
        problem(client.put("/api/settings", json={"language": "th"}, headers=headers), 403)
        problem(client.delete("/api/sessions", headers=headers), 403)


@pytest.mark.parametrize("headers", [{"Origin": "SELF"}, {"Sec-Fetch-Site": "same-origin"}])
def test_changes_from_our_own_pages_pass(served: Served, headers: dict[str, str]) -> None:
    headers = {name: served.url if value == "SELF" else value for name, value in headers.items()}
    with served.client() as client:
        client.get("/", headers=HTML)
        assert client.put("/api/settings", json={"language": "th"}, headers=headers).json()["language"] == "th"


def test_a_method_cannot_be_overridden(served: Served, owner: Actor) -> None:
    with served.client(owner) as client:
        made = client.post("/api/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "5"})
        path = made.headers["location"].removeprefix(served.url)
        client.get(path, headers={"X-HTTP-Method-Override": "DELETE", "Tus-Resumable": "1.0.0"})
        assert client.head(path, headers={"Tus-Resumable": "1.0.0"}).status_code == 200


def test_web_socket_needs_session_and_origin(served: Served, owner: Actor) -> None:
    url = f"ws://{served.host}/_stcore/stream"
    with served.client() as client:
        client.get("/", headers=HTML)
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
    with connect(url, additional_headers=cookie, origin=served.url) as socket:  # type: ignore[arg-type]
        assert socket.recv() == "hello"
    refused: list[dict[str, object]] = [
        {"origin": served.url},
        {"origin": "http://evil.example", "additional_headers": cookie},
        {"origin": "http://127.0.0.1:1", "additional_headers": cookie},
        {"additional_headers": cookie},
        {"origin": f"http://evil.example:{served.port}", "additional_headers": {**cookie, "X": "y"}},
    ]
    for options in refused:
        with pytest.raises(InvalidStatus) as caught:
            connect(url, **options).close()  # type: ignore[arg-type]
        assert caught.value.response.status_code == 403


def raw(served: Served, head: str, body: bytes = b"") -> str:
    """The status line of the answer to a request that is never sent completely."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(f"{head}\r\nHost: {served.host}\r\n\r\n".encode() + body)
        return connection.recv(4096).decode().partition("\r\n")[0]


def test_bodies_over_the_limit_are_refused_before_they_arrive(served: Served, owner: Actor) -> None:
    token = f"Authorization: Bearer {token_of(owner)}"
    announced = raw(served, f"PUT /api/settings HTTP/1.1\r\n{token}\r\nContent-Length: 200000000")
    assert "413" in announced
    piece = b"800000\r\n" + b"x" * 0x800000 + b"\r\n"
    unannounced = raw(served, f"PUT /api/settings HTTP/1.1\r\n{token}\r\nTransfer-Encoding: chunked", piece * 2)
    assert "413" in unannounced


def test_security_headers(served: Served) -> None:
    api = httpx.get(served.url + "/api/health")
    assert api.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in api.headers["content-security-policy"]
    page = httpx.get(served.url + "/", headers=HTML)
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]


def test_beyond_loopback_even_the_first_page_needs_a_sign_in(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.settings import get_settings

    monkeypatch.setenv("STUDIO_HOSTS", "studio.example")
    get_settings.cache_clear()
    answer = httpx.get(served.url + "/", headers={**HTML, "Host": "studio.example"})
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers
    assert httpx.get(served.url + "/", headers=HTML).status_code == 303
