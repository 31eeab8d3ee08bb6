"""Rotate the sealing key: ``python -m core.tools.rotate_key``. Every stored secret is sealed anew with the new key."""

from __future__ import annotations

import sys

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database, launch, security
from core.errors import StudioError
from core.models.identity import StoredSetting
from core.models.publishing import PlatformAccount


def reseal(session: Session, keyring: security.Keyring) -> int:
    """Open every sealed column and seal it with the current key; returns how many values changed."""
    changed = 0
    for setting in session.scalars(select(StoredSetting).where(StoredSetting.secret.is_(True))):
        setting.value = keyring.seal(keyring.unseal(setting.value))
        changed += 1
    for account in session.scalars(select(PlatformAccount).with_for_update()):
        if account.auth_sealed:
            account.auth_sealed = keyring.seal(keyring.unseal(account.auth_sealed))
            changed += 1
    return changed


def main() -> int:
    """Make a new key, then reseal; the old key stays in the key file for backups sealed with it."""
    try:
        with launch.borrowed():
            keyring = security.keyring()
            keyring.rotate()
            with database.session() as session:
                changed = reseal(session, keyring)
    except (StudioError, launch.CannotStart) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"A new key is in use; {changed} secrets were sealed anew.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
