"""Multilingual speech models (:mod:`core.speech`), downloaded by name into the data folder.

A download is resumed where it broke off (RFC 9110, Range and If-Range), its size and, where the server tells it, its
SHA-256 are checked, and the model appears under its name only when every file is whole. Hugging Face's server tells
both in ``X-Linked-Size`` and ``X-Linked-ETag`` of the first answer (huggingface_hub, ``file_download``).
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InvalidInput, ProviderRefused
from core.progress import Progress, no_progress
from core.settings import get_settings
from core.speech import BUNDLED, folder_of, model_of
from core.storage import require_space

if TYPE_CHECKING:
    import httpx

MAXIMUM_FAILURES = 6
_CHUNK = 256 * 1024
_TIMEOUT = 30.0


def remove(name: str) -> None:
    """Delete a downloaded model and what is left of an unfinished download."""
    if name == BUNDLED:
        raise InvalidInput("The built-in speech model cannot be removed.")
    for folder in (get_settings().models_dir / f"whisper-{model_of(name).name}", _partial_folder(name)):
        shutil.rmtree(folder, ignore_errors=True)


def _partial_folder(name: str) -> Path:
    return get_settings().models_dir / f".partial-whisper-{name}"


def download(name: str, *, progress: Progress = no_progress) -> Path:
    """Fetch a model into the data folder and return its folder; does nothing when it is there already.

    The address is the setting STUDIO_MODEL_BASE. Ended by ``progress`` or by a crash, the next call goes on where this
    one stopped.

    Raises:
        InvalidInput: an unknown model, or the built-in one.
        ProviderRefused: the server refuses, cannot be reached, or sends something damaged.
        OutOfSpace: the disk has no room for it.
    """
    model = model_of(name)
    if name == BUNDLED:
        raise InvalidInput("The built-in speech model needs no download.")
    present = folder_of(name)
    if present:
        return present
    return fetch_files(f"whisper-{name}", model.repository, model.files, model.size_bytes, progress=progress)


def fetch_files(
    folder: str, repository: str, files: Sequence[str], size_bytes: int, *, progress: Progress = no_progress
) -> Path:
    """Fetch a model's files into ``folder`` of the models' folder, where it appears when it is whole. Files of folders
    within the repository lie there side by side.

    Raises:
        ProviderRefused, OutOfSpace: as :func:`download`.
    """
    import httpx

    partial = get_settings().models_dir / f".partial-{folder}"
    partial.mkdir(parents=True, exist_ok=True)
    done = sum(path.stat().st_size for path in partial.iterdir())
    require_space(max(size_bytes - done, 0))
    finished = 0
    with httpx.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
        for file in files:
            url = f"{get_settings().model_base_url.rstrip('/')}/{repository}/resolve/main/{file}"
            fetch = _Fetch(client, url, partial / Path(file).name)
            start = finished

            def report(received: int, start: int = start) -> None:
                progress(min((start + received) / size_bytes, 0.999), "stage.download")

            finished += fetch.run(report)
    final = get_settings().models_dir / folder
    partial.rename(final)
    progress(1.0, "stage.download")
    return final


class _Fetch:
    """One file, in as many requests as it takes."""

    def __init__(self, client: httpx.Client, url: str, target: Path) -> None:
        self._client, self._url, self._target = client, url, target
        self._part = target.with_name(target.name + ".part")
        self._tag_file = target.with_name(target.name + ".tag")

    def run(self, report: Callable[[int], None]) -> int:
        """Fetch the file and return its size in bytes."""
        import httpx

        if self._target.is_file():
            return self._target.stat().st_size
        size, digest, tag = self._describe()
        failures = 0
        while self._received() < size or size < 0:
            before = self._received()
            try:
                whole = self._continue(tag, report)
            except httpx.TransportError as error:
                failures = 0 if self._received() > before else failures + 1
                if failures >= MAXIMUM_FAILURES:
                    raise ProviderRefused(
                        "The model's server cannot be reached.", str(error), code="unreachable", retryable=True
                    ) from error
                time.sleep(min(0.2 * 2**failures, 5.0))
                continue
            if whole and size < 0:
                break
        self._check(size, digest)
        self._part.replace(self._target)
        self._tag_file.unlink(missing_ok=True)
        return self._target.stat().st_size

    def _received(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _describe(self) -> tuple[int, str, str]:
        """Size in bytes (−1: not told), SHA-256 ("" : not told) and the tag of this version of the file."""
        import httpx

        for failures in range(MAXIMUM_FAILURES):
            try:
                answer = self._client.head(self._url, follow_redirects=False, headers={"Accept-Encoding": "identity"})
                break
            except httpx.TransportError as error:
                if failures == MAXIMUM_FAILURES - 1:
                    raise ProviderRefused(
                        "The model's server cannot be reached.", str(error), code="unreachable", retryable=True
                    ) from error
                time.sleep(min(0.2 * 2**failures, 5.0))
        if answer.status_code >= 400:
            raise _refused(answer)
        linked = answer.headers.get("X-Linked-Size", "")
        length = linked or ("" if answer.is_redirect else answer.headers.get("Content-Length", ""))
        tag = (answer.headers.get("X-Linked-ETag") or answer.headers.get("ETag") or "").removeprefix("W/").strip('"')
        digest = tag if re.fullmatch(r"[0-9a-f]{64}", tag) else ""
        if self._tag_file.exists() and self._tag_file.read_text() != tag:
            self._part.unlink(missing_ok=True)
        self._tag_file.write_text(tag)
        return int(length) if length.isdigit() else -1, digest, tag

    def _continue(self, tag: str, report: Callable[[int], None]) -> bool:
        """One request from where the file ends; True when the answer came whole."""
        received = self._received()
        headers = {"Accept-Encoding": "identity"}
        if received:
            headers["Range"] = f"bytes={received}-"
        with self._client.stream("GET", self._url, headers=headers) as answer:
            if answer.status_code == 416:
                self._part.unlink(missing_ok=True)
                return False
            if answer.status_code >= 400:
                answer.read()
                raise _refused(answer)
            # Some servers ignore Range and send the file from its beginning.
            mode = "ab" if answer.status_code == 206 else "wb"
            with self._part.open(mode) as file:
                for chunk in answer.iter_bytes(_CHUNK):
                    file.write(chunk)
                    report(file.tell())
        return True

    def _check(self, size: int, digest: str) -> None:
        received = self._received()
        if 0 <= size != received or (digest and _sha256(self._part) != digest):
            self._part.unlink(missing_ok=True)
            raise ProviderRefused(
                "The model arrived damaged and was thrown away.", self._target.name, code="damaged", retryable=True
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(answer: httpx.Response) -> ProviderRefused:
    return ProviderRefused(
        "The model's server refused the download.",
        f"HTTP {answer.status_code} for {answer.request.url}",
        code=str(answer.status_code),
        retryable=answer.status_code in {408, 425, 429} or answer.status_code >= 500,
    )
