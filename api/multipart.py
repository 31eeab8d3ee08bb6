"""One file of a multipart form, written to disk as it arrives (RFC 7578).

Starlette's form parser spools files to the system's temporary folder, which may be memory, and copies them once more;
here the part named ``file`` goes straight to the upload folder.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import BinaryIO

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from core.errors import BadRequest
from core.storage import require_space

BUFFER_BYTES = 1024 * 1024
HEADER_BYTES = 16 * 1024
SPACE_CHECK_BYTES = 256 * 1024 * 1024


class _FilePart:
    """Callbacks of the parser: finds the part and gathers its bytes."""

    def __init__(self, field: str) -> None:
        self._wanted = field.encode()
        self._name = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._inside = False
        self.filename: str | None = None
        self.complete = False
        self.waiting = bytearray()

    def on_part_begin(self) -> None:
        self._headers = {}

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += self._counted(data[start:end])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._counted(data[start:end])

    def _counted(self, piece: bytes) -> bytes:
        self._header_bytes += len(piece)
        if self._header_bytes > HEADER_BYTES:
            raise BadRequest("The form's headers are too long.")
        return piece

    def on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._inside = options.get(b"name") == self._wanted and self.filename is None
        if self._inside:
            self.filename = options.get(b"filename", b"").decode("utf-8", "replace")

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self.waiting += data[start:end]

    def on_part_end(self) -> None:
        self.complete = self.complete or self._inside
        self._inside = False


async def receive_file(request: Request, path: Path, field: str = "file") -> str:
    """Write the form's file to ``path`` and answer the name its sender gave it.

    Raises:
        BadRequest: not a multipart form, no such field, or cut off in the middle.
        OutOfSpace: the disk would be full.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BadRequest("Send the file as multipart/form-data.", f"The field is called {field}.")
    part = _FilePart(field)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": part.on_part_begin,
            "on_part_data": part.on_part_data,
            "on_part_end": part.on_part_end,
            "on_header_field": part.on_header_field,
            "on_header_value": part.on_header_value,
            "on_header_end": part.on_header_end,
            "on_headers_finished": part.on_headers_finished,
        },
    )
    require_space(int(request.headers.get("content-length", 0)))
    written = checked = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            try:
                parser.write(chunk)
            except ValueError:
                raise BadRequest("The form cannot be read.") from None
            if len(part.waiting) >= BUFFER_BYTES:
                written += await asyncio.to_thread(_write, file, part.waiting)
            if written - checked > SPACE_CHECK_BYTES:
                require_space(0)
                checked = written
        written += await asyncio.to_thread(_write, file, part.waiting)
    if part.filename is None:
        raise BadRequest("The form holds no file.", f"The field is called {field}.")
    if not part.complete:
        raise BadRequest("The file did not arrive completely.", "Send it again.")
    return part.filename


def _write(file: BinaryIO, waiting: bytearray) -> int:
    count = file.write(waiting)
    waiting.clear()
    return count
