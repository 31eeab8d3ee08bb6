"""``python -m tests.fakes.meta --port 0 --log FILE``: prints the address it listens on, then serves until killed."""

from __future__ import annotations

import sys

from tests.fakes.loopback import Server, serve
from tests.fakes.meta.server import Handler
from tests.fakes.meta.state import State

if __name__ == "__main__":
    sys.exit(serve(lambda port, log: Server(port, Handler, State(log))))
