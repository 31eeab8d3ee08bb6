"""OpenID Connect as a second way in (S1): the routes of Streamlit's ``st.login`` make the round trip.

``/auth/login`` and ``/oauth2callback`` belong to Streamlit (Authlib underneath: state, nonce, PKCE where the provider
has it, signature and claims of the identity token, OpenID Connect Core 1.0). What they leave behind is a signed cookie
with the identity; :mod:`api.sign_in_page` turns it into the studio's session and removes it. The names of Streamlit
used here are not public, hence this one module and ``tests/browser/test_sign_in.py``, which goes the whole way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.security import keyring
from core.settings import Settings, get_settings

LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
PATHS = frozenset({LOGIN, CALLBACK})
_PROVIDER = "default"
_COOKIE = re.compile(r"^_streamlit_user(_tokens)?(_\d+)?$")


@dataclass(frozen=True)
class Identity:
    """Who the provider says is there; the address is one that it has verified."""

    email: str


def streamlit_secrets(settings: Settings) -> dict[str, Any] | None:
    """What ``st.App(secrets=…)`` needs to know, None without a provider."""
    if not settings.has_identity_provider:
        return None
    return {
        "auth": {
            "redirect_uri": settings.address.rstrip("/") + CALLBACK,
            "cookie_secret": _cookie_secret(),
            "client_id": settings.oidc_client_id,
            "client_secret": settings.oidc_client_secret,
            "server_metadata_url": settings.oidc_discovery_url,
        }
    }


def login_path() -> str:
    """Where the round trip begins; valid for two minutes."""
    from streamlit.auth_util import encode_provider_token

    return f"{LOGIN}?provider={encode_provider_token(_PROVIDER)}"


def identity(cookies: Mapping[str, str]) -> Identity | None:
    """The identity that a finished round trip left in the browser; None if there is none, or none that can be trusted.

    An address that the provider has not verified is nobody's: whoever typed it would be let in as its owner.
    """
    if "_streamlit_user" not in cookies or not get_settings().has_identity_provider:
        return None
    from streamlit.auth_util import get_cookie_with_chunks
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

    secret = _cookie_secret()

    def single(name: str) -> bytes | None:
        return decode_signed_value(secret, name, cookies[name]) if name in cookies else None

    raw = get_cookie_with_chunks(single, "_streamlit_user")
    claims = json.loads(raw) if raw else {}
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        return None
    return Identity(email.strip().lower())


def cookie_names(cookies: Mapping[str, str]) -> list[str]:
    """The cookies that a round trip left in the browser."""
    return [name for name in cookies if _COOKIE.match(name)]


@lru_cache
def _cookie_secret() -> str:
    """Signs Streamlit's cookies; the same for the life of this process, whatever happens to the key file."""
    return keyring().derive("streamlit auth cookies")
