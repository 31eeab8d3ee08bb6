"""The chunk arithmetic of TikTok's "Media Transfer Guide". Pure.

The vendor's MB may be 10^6 or 2^20 bytes; what is made here is right in both readings.
"""

from __future__ import annotations

from dataclasses import dataclass

MEGA = 10**6
LEAST = 5 * 2**20
"""Bytes of the smallest chunk of several (5 MB, in the larger reading)."""
MOST = 64 * MEGA
"""Bytes of the largest chunk but the last, and of the largest file in one (64 MB, in the smaller reading)."""
COUNT = 1000
USUAL = 10 * MEGA


@dataclass(frozen=True)
class Chunks:
    """A file of ``size`` bytes in ``count`` chunks of ``chunk_size``; the last one carries the remainder as well."""

    size: int
    chunk_size: int
    count: int

    def range_of(self, index: int) -> tuple[int, int]:
        """First byte of a chunk, and the byte after its last."""
        start = index * self.chunk_size
        return start, self.size if index == self.count - 1 else start + self.chunk_size

    def index_at(self, offset: int) -> int:
        """The chunk that the byte at ``offset`` belongs to."""
        return min(offset // self.chunk_size, self.count - 1)


def chunks_of(size: int, chunk_size: int = USUAL) -> Chunks:
    """How a file is sent: whole when it holds fewer than two chunks and may go whole, otherwise in
    ``floor(size / chunk_size)`` chunks.

    Raises:
        ValueError: an empty file, one past 64 GB, or a chunk size outside 5 MB to 64 MB.
    """
    if not LEAST <= chunk_size <= MOST:
        raise ValueError(f"a chunk of {chunk_size} bytes")
    chunk_size = max(chunk_size, -(-size // COUNT))
    if not size > 0 or chunk_size > MOST:
        raise ValueError(f"a file of {size} bytes")
    if size < 2 * chunk_size:
        if size <= MOST:
            return Chunks(size, size, 1)
        chunk_size = size // 2  # one chunk would be right by the division, and too large
    return Chunks(size, chunk_size, size // chunk_size)
