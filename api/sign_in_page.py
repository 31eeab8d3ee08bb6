"""The page that asks who is there: e-mail and password, and the identity provider where one is set up. No script."""

from __future__ import annotations

import html
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from api import oidc
from api.guard import session_cookie
from api.origin import safe_next
from api.problems import language_of
from core import database
from core.errors import Forbidden, NotFound
from core.i18n import LANGUAGES, t
from core.security import sign_in_by_email
from core.settings import get_settings

router = APIRouter(include_in_schema=False)
Language = Annotated[str | None, Field(max_length=8)]
NEXT_COOKIE, NEXT_SECONDS = "studio_next", 600
_POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"


@router.get("/sign-in", response_class=HTMLResponse)
def sign_in_page(request: Request, next: str = "/", lang: Language = None) -> Response:
    """The form; ``next`` is where to go afterwards."""
    return render(language(request, lang), safe_next(next), 200, "", "")


@router.get("/sign-in/oidc")
async def sign_in_by_provider(request: Request, next: str = "/", lang: Language = None) -> Response:
    """Goes to the identity provider, or, when the browser comes from there, opens the session of who it said it is."""
    if not get_settings().has_identity_provider:
        raise NotFound("No identity provider is set up for this studio.")
    identity = oidc.identity(request.cookies)
    if identity is None:
        answer: Response = RedirectResponse(oidc.login_path(), 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            NEXT_COOKIE, safe_next(next), max_age=NEXT_SECONDS, path="/", httponly=True, samesite="lax", secure=secure
        )
        return answer
    try:
        token = await run_in_threadpool(_open, identity)
    except Forbidden:
        chosen = language(request, lang)
        answer = render(chosen, "/", 403, t("sign_in.not_let_in", chosen, email=identity.email), "")
    else:
        answer = RedirectResponse(safe_next(request.cookies.get(NEXT_COOKIE, "/")), 303)
        session_cookie(answer.headers, request.scope, token)
    # The identity has served: what lasts is the studio's own session, which the studio can end.
    for name in (NEXT_COOKIE, *oidc.cookie_names(request.cookies)):
        answer.delete_cookie(name, path="/", httponly=True, samesite="lax")
    return answer


def _open(identity: oidc.Identity) -> str:
    with database.session() as session:
        return sign_in_by_email(session, identity.email)


def language(request: Request, chosen: str | None) -> str:
    """The language somebody chose on the page, else the browser's."""
    return str(chosen) if chosen in LANGUAGES else language_of(request)


def render(lang: str, target: str, status: int, error: str, email: str) -> HTMLResponse:
    """The form with an error above it (may be empty) and the e-mail filled in (may be empty)."""

    def word(key: str, **values: str) -> str:
        return html.escape(t(f"sign_in.{key}", lang, **values))

    settings = get_settings()
    target = html.escape(target, quote=True)
    told = f'<p class="error" role="alert">{html.escape(error)}</p>' if error else ""
    others = " · ".join(
        f'<a href="/api/sign-in?lang={code}&amp;next={target}" lang="{code}">{name}</a>'
        for code, name in LANGUAGES.items()
        if code != lang
    )
    provider = ""
    if settings.has_identity_provider:
        words = word("with_provider", provider=settings.oidc_name)
        provider = f'<p class="or">{word("or")}</p><a class="other" href="/api/sign-in/oidc?next={target}">{words}</a>'
    page = _TEMPLATE.format(
        lang=lang, title=word("title"), lead=word("lead"), told=told, next=target, email_word=word("email"),
        email=html.escape(email, quote=True), password_word=word("password"), button=word("button"), others=others,
        provider=provider,
    )  # fmt: skip
    return HTMLResponse(page, status, headers={"Content-Security-Policy": _POLICY})


_TEMPLATE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1d1b26; --paper: #fafafc; --line: #c9c7d4; --accent: #6847e0;
  --bad: #b3261e; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #ece9f5; --paper: #15131c; --line: #4a4658; --accent: #a891ff; --bad: #ff8a80; }}
}}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  font: 1rem/1.5 system-ui, "IBM Plex Sans Thai", "Noto Sans Thai", sans-serif;
  color: var(--ink); background: var(--paper); }}
main {{ width: 100%; max-width: 24rem; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .5rem; }}
label {{ display: block; margin: 1rem 0 .25rem; font-weight: 600; }}
input {{ width: 100%; padding: .65rem .75rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .5rem; }}
.or {{ margin: 1rem 0 0; text-align: center; }}
.other {{ display: block; margin-top: 1rem; padding: .7rem; text-align: center; font-weight: 600;
  text-decoration: none; border: 1px solid var(--line); border-radius: .5rem; }}
button {{ margin-top: 1.5rem; width: 100%; padding: .7rem; font: inherit; font-weight: 600; color: var(--paper);
  background: var(--accent); border: 0; border-radius: .5rem; cursor: pointer; }}
:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px; }}
.error {{ color: var(--bad); font-weight: 600; }}
footer {{ margin-top: 1.5rem; text-align: center; }}
a {{ color: var(--accent); }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{lead}</p>
{told}
<form method="post" action="/api/sessions">
<input type="hidden" name="next" value="{next}">
<input type="hidden" name="lang" value="{lang}">
<label for="email">{email_word}</label>
<input id="email" name="email" type="email" autocomplete="username" required autofocus value="{email}">
<label for="password">{password_word}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">{button}</button>
</form>
{provider}
<footer>{others}</footer>
</main>
</body>
</html>
"""
