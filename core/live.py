"""Short notices to the browsers that watch: PostgreSQL NOTIFY, sent when the transaction commits, never when it fails.

A notice is a hint with the newest values; whoever misses one reads the table. Payloads stay below NOTIFY's 8000 bytes.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

CHANNEL = "studio"
MAXIMUM_BYTES = 7900


def notify(session: Session, owner_id: UUID, notice: dict[str, Any]) -> None:
    """Tell the browsers of ``owner_id``; ``notice["type"]`` says what it is about."""
    body = json.dumps({"owner_id": str(owner_id), **notice}, default=str, ensure_ascii=False)
    if len(body.encode()) > MAXIMUM_BYTES:
        body = json.dumps({"owner_id": str(owner_id), "type": notice["type"], "job_id": str(notice.get("job_id", ""))})
    session.execute(text("SELECT pg_notify(:channel, :body)"), {"channel": CHANNEL, "body": body})
