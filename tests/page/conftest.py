"""Pages under Streamlit's AppTest: a signed-in owner of a fresh studio, with or without things in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from core import database
from core.models.assets import Asset
from core.models.base import uuid7
from core.models.identity import User
from core.preferences import set_preferences
from core.security import Actor, open_session

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[..., AppTest]


@pytest.fixture
def token(owner: Actor) -> str:
    """A session of the owner's browser."""
    with database.session() as session:
        return open_session(session, session.get_one(User, owner.user_id))


@pytest.fixture
def settled(owner: Actor) -> Callable[[str], None]:
    """Answer the first page's three questions in a language."""

    def answer(language: str) -> None:
        with database.session(owner) as session:
            set_preferences(session, owner, language=language, timezone="Asia/Bangkok", currency="THB")

    return answer


@pytest.fixture
def open_page(token: str) -> Open:
    """Open a page as the owner; the page must not raise."""

    def opened(page: str = "", **query: str) -> AppTest:
        test = AppTest.from_file(str(ROOT / "pages" / "home.py"), default_timeout=30)
        test.session_state["session_token"] = token
        test.run()
        if page:
            test.switch_page(f"{page}.py")
            for name, value in query.items():
                test.query_params[name] = value
            test.run()
        assert not test.exception, [one.value for one in test.exception]
        return test

    return opened


def words(test: AppTest) -> str:
    """All text that a page shows."""
    parts: list[Any] = []
    for kind in (test.title, test.header, test.subheader, test.markdown, test.caption, test.info, test.error):
        parts += [one.value for one in kind]
    parts += [one.label for one in test.button]
    parts += [one.proto.body for one in test.get("html")]
    return "\n".join(str(part) for part in parts)


@pytest.fixture
def add_asset(owner: Actor) -> Callable[..., UUID]:
    """A row of the library, without a file behind it."""

    def add(name: str = "talk.mp4", kind: str = "video", **fields: Any) -> UUID:
        given = {
            "mime_type": "video/mp4" if kind == "video" else "audio/wav",
            "size_bytes": 1_400_000,
            "sha256": "0" * 64,
            "duration_seconds": 20.0,
            "width": 1280 if kind == "video" else None,
            "height": 720 if kind == "video" else None,
            "fps": "25/1" if kind == "video" else None,
            "has_audio": True,
            **fields,
        }
        with database.session(owner) as session:
            asset = Asset(id=uuid7(), owner_id=owner.owner_id, name=name, kind=kind, storage_key=f"{uuid7()}", **given)
            session.add(asset)
            session.flush()
            return asset.id

    return add
