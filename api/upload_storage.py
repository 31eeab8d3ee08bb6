"""Where the tus library keeps an upload's bytes: a file that is appended to, whose size is the truth about the offset.

The library's own local backend holds a whole PATCH in memory before writing, and its file mode trusts an offset that a
killed server no longer wrote down (docs/decisions.md). Here every chunk goes to disk as it comes, at most 1 MiB waits
in memory, and after a kill the upload continues exactly where its file ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from sqlalchemy import delete
from tuspyserver.storage import TusStorage

from core import database
from core.models.assets import Upload
from core.settings import get_settings

BUFFER_BYTES = 1024 * 1024
LOCK_SECONDS = 5.0
_UID = re.compile(r"^[0-9a-f]{32}$")


class Writer:
    """An upload's file, open and locked for one request."""

    def __init__(self, path: Path) -> None:
        self._file: FileIO = path.open("r+b", buffering=0)
        self._waiting = bytearray()

    def lock(self) -> bool:
        """Lock the file against other requests, of this process and of others; False when one holds it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._file.seek(0, os.SEEK_END)
        return True

    def hold(self, chunk: bytes) -> bool:
        """Take a chunk into memory; True when it is time to write."""
        self._waiting += chunk
        return len(self._waiting) >= BUFFER_BYTES

    def write(self) -> None:
        """Write what waits."""
        view = memoryview(bytes(self._waiting))
        self._waiting.clear()
        while view:
            view = view[self._file.write(view) :]

    def sync(self) -> None:
        """Write what waits and make it durable."""
        self.write()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


class UploadStorage(TusStorage):  # type: ignore[misc]
    """Uploads in the studio's upload folder: ``<id>`` holds the bytes, ``<id>.info`` what the client said."""

    def __init__(self) -> None:
        self._writers: dict[str, Writer] = {}

    def path(self, uid: str) -> Path:
        """The file of an upload; raises 404 for what is no identifier of ours."""
        if not _UID.match(uid):
            raise HTTPException(404)
        return get_settings().uploads_dir / uid

    def _info_path(self, uid: str) -> Path:
        return self.path(uid).with_suffix(".info")

    async def create(self, uid: str) -> None:
        self.path(uid).parent.mkdir(parents=True, exist_ok=True)
        self.path(uid).touch()

    async def exists(self, uid: str) -> bool:
        return self.path(uid).is_file()

    async def size(self, uid: str) -> int:
        path = self.path(uid)
        return path.stat().st_size if path.is_file() else 0

    async def append(self, uid: str, chunk: bytes) -> None:
        writer = self._writers[uid]
        if writer.hold(chunk):
            with _told_when_full():
                await asyncio.to_thread(writer.write)

    async def flush(self, uid: str) -> None:
        with _told_when_full():
            await asyncio.to_thread(self._writers[uid].sync)

    async def finalize(self, uid: str) -> None:
        """Nothing: the bytes are durable since the last flush."""

    async def read(self, uid: str) -> bytes | None:
        raise NotImplementedError("an upload is never read into memory")

    async def delete(self, uid: str) -> None:
        self.path(uid).unlink(missing_ok=True)
        self._info_path(uid).unlink(missing_ok=True)
        await asyncio.to_thread(_forget, uid)

    async def read_info(self, uid: str) -> dict[str, Any] | None:
        path = self._info_path(uid)
        if not path.is_file():
            return None
        info: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {**info, "offset": await self.size(uid)}

    async def write_info(self, uid: str, data: dict[str, Any]) -> None:
        await asyncio.to_thread(_write_whole, self._info_path(uid), json.dumps(data))

    async def list_uids(self) -> list[str]:
        return [path.name for path in get_settings().uploads_dir.iterdir() if _UID.match(path.name)]

    def location(self, uid: str) -> str:
        return str(self.path(uid))

    @contextlib.asynccontextmanager
    async def lock(self, uid: str) -> AsyncIterator[None]:
        """Exclusive access for one request.

        Raises:
            HTTPException: 423 when another connection still writes after :data:`LOCK_SECONDS` (tus asks for no
                particular code; the client waits and asks for the offset again).
        """
        writer = Writer(self.path(uid))
        try:
            deadline = asyncio.get_running_loop().time() + LOCK_SECONDS
            while not writer.lock():
                if asyncio.get_running_loop().time() > deadline:
                    raise HTTPException(423)
                await asyncio.sleep(0.1)
            self._writers[uid] = writer
            try:
                yield
            finally:
                # A request refused in mid-body leaves the buffer unwritten; the file's size stays the truth.
                del self._writers[uid]
        finally:
            writer.close()


@contextlib.contextmanager
def _told_when_full() -> Iterator[None]:
    """A full disk is the answer to the request (507); the library would keep it to itself and answer 204."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise HTTPException(507) from error
        raise


def _forget(uid: str) -> None:
    with database.session() as session:
        session.execute(delete(Upload).where(Upload.id == uid, Upload.finished_at.is_(None)))


def _write_whole(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
