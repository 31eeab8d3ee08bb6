"""Where files lie, behind an interface that a local folder and an S3-compatible store both fit."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import unicodedata
from pathlib import Path
from typing import Protocol
from uuid import UUID

from core.errors import NotFound, OutOfSpace
from core.settings import get_settings

_CHUNK = 1024 * 1024


class Storage(Protocol):
    """Files by key. A file becomes visible whole or not at all."""

    def put(self, path: Path, key: str) -> None:
        """Move the file at ``path`` in under ``key``."""

    def local_path(self, key: str) -> Path:
        """A local path with the file's bytes; raises :class:`NotFound`."""

    def delete(self, key: str) -> None:
        """Remove the file; a missing one is no error."""

    def used_bytes(self) -> int:
        """Bytes stored."""

    def free_bytes(self) -> int:
        """Bytes that can still be stored."""


class LocalStorage:
    """Files in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, key: str) -> Path:
        path = (self._root / key).resolve()
        if not path.is_relative_to(self._root.resolve()):
            raise NotFound("That file does not exist.")
        return path

    def put(self, path: Path, key: str) -> None:
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        try:
            path.replace(target)
        except OSError:  # another file system: copy beside the target, then rename
            partial = target.with_name(target.name + ".part")
            try:
                shutil.copyfile(path, partial)
                with partial.open("rb") as file:
                    os.fsync(file.fileno())
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
            path.unlink()
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def local_path(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise NotFound("The file is missing on disk.", "It may have been removed by hand.")
        return path

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def used_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._root.rglob("*") if path.is_file())

    def free_bytes(self) -> int:
        self._root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._root).free


def storage() -> LocalStorage:
    """The configured store."""
    return LocalStorage(get_settings().assets_dir)


def require_space(size_bytes: int) -> None:
    """Refuse work that would fill the disk.

    Raises:
        OutOfSpace: fewer than ``size_bytes`` plus the reserve are free.
    """
    settings = get_settings()
    settings.root.mkdir(parents=True, exist_ok=True)
    free = min(shutil.disk_usage(settings.root).free, storage().free_bytes())
    if free < size_bytes + settings.min_free_bytes:
        raise OutOfSpace(
            "There is not enough room on the disk.",
            f"{(size_bytes + settings.min_free_bytes) / 1e9:.1f} GB have to be free, and {free / 1e9:.1f} GB are. "
            "Delete something in the Library.",
            retryable=True,
        )


def asset_key(asset_id: UUID, suffix: str) -> str:
    """The key of an asset's file; the last two digits spread UUIDv7 keys over 256 folders."""
    return f"{asset_id.hex[-2:]}/{asset_id}{suffix.lower()}"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def safe_name(name: str, fallback: str = "file") -> str:
    """A user's file name made harmless: no path, no control or direction-changing characters, 120 characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in base if unicodedata.category(char)[0] != "C")
    kept = re.sub(r'[<>:"|?*]', "_", kept).strip(" .")
    if len(kept) > 120:
        stem, dot, suffix = kept.rpartition(".")
        kept = stem[: 119 - len(suffix)] + dot + suffix if dot and len(suffix) < 12 else kept[:120]
    return kept or fallback
