"""``python -m tests.fakes.youtube --port 0 --log FILE``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fakes.loopback import Server, serve
from tests.fakes.youtube.server import Handler
from tests.fakes.youtube.state import State


def make(port: int, log: Path | None) -> Server:
    return Server(port, Handler, State(log))


if __name__ == "__main__":
    sys.exit(serve(make))
