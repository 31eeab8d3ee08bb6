"""The studio's people from the terminal: ``python -m core.tools.owner create --email you@example.com``.

Needed once before the studio may listen beyond this machine. The password is asked for, or read from the variable
``STUDIO_OWNER_PASSWORD`` where no one can type (containers). The studio may be running or not.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys

from sqlalchemy.exc import IntegrityError

from core import database, launch, security
from core.errors import StudioError


def main(arguments: list[str] | None = None) -> int:
    """Create the owner, or give the first owner an e-mail and a password."""
    parser = argparse.ArgumentParser(prog="python -m core.tools.owner", description=__doc__)
    parser.add_argument("action", choices=["create"])
    parser.add_argument("--email", required=True)
    chosen = parser.parse_args(arguments)
    try:
        password = os.environ.get("STUDIO_OWNER_PASSWORD") or getpass.getpass("Password: ")
        with launch.borrowed(), database.session() as session:
            security.set_password(security.ensure_owner(session), chosen.email, password)
    except EOFError:
        sys.stderr.write("Nobody can type a password here. Give it in the variable STUDIO_OWNER_PASSWORD.\n")
        return 1
    except IntegrityError:
        sys.stderr.write("Somebody else of this studio has this e-mail.\n")
        return 1
    except (StudioError, launch.CannotStart) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{chosen.email} is the owner of this studio.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
