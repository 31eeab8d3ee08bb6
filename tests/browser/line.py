"""A TCP line between the browser and the studio that stops carrying uploads at a set point, until it is opened."""

from __future__ import annotations

import contextlib
import socket
import threading

PIECE = 64 * 1024


class HeldLine:
    """Listens on ``port`` of loopback and carries every connection to ``target``.

    Once ``hold_after`` bytes have gone from the browsers to the studio nothing more goes that way; ``held`` is set.
    :meth:`open` lifts this. A connection that the studio does not take, or drops, is dropped on the browser's side.
    """

    def __init__(self, target: int, hold_after: int) -> None:
        self._target = target
        self._left = hold_after
        self._lock = threading.Lock()
        self._opened = threading.Event()
        self.held = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self) -> None:
        """Carry everything from now on."""
        self._opened.set()

    def close(self) -> None:
        """Take no further connections."""
        self._opened.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                browser, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(browser,), daemon=True).start()

    def _join(self, browser: socket.socket) -> None:
        with browser:
            try:
                studio = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            with studio:
                back = threading.Thread(target=self._carry, args=(studio, browser, False), daemon=True)
                back.start()
                self._carry(browser, studio, True)
                back.join()

    def _carry(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                if counted and not self._may_pass(len(data)):
                    self.held.set()
                    self._opened.wait()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _may_pass(self, count: int) -> bool:
        with self._lock:
            self._left -= count
            return self._left >= 0
