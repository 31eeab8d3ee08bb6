"""``python -m tests.fakes.youtube --port 0 --log FILE``: prints the address it listens on, then serves until killed."""

from __future__ import annotations

import argparse
import ctypes
import signal
import sys
from pathlib import Path

from tests.fakes.youtube.server import Server
from tests.fakes.youtube.state import State


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fakes.youtube")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: ends with the test that started it
    server = Server(options.port, State(options.log))
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
