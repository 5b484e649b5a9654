"""What power cuts and bad disks do to the log of a broker that is not running."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

_BATCH_HEAD = struct.Struct(">qi")
"""Base offset, and the length of what follows: the beginning of every record batch."""


class HasLogs(Protocol):
    """A broker whose logs lie in a folder."""

    @property
    def data_dir(self) -> Path:
        """One folder a partition, ``<topic>-<partition>/<first offset>.log``."""
        ...


def base_offsets(node: HasLogs, topic: str, partition: int) -> list[int]:
    """The offsets at which a log can be cut: where its batches begin."""
    data = _segment(node, topic, partition).read_bytes()
    return [base_offset for _, base_offset in _batches(data)]


def cut_tail(node: HasLogs, topic: str, partition: int, keep: int) -> None:
    """Cut a log so that it ends before offset ``keep``; the broker must have been killed.

    What the broker derived from the log is removed with the tail, as it is after a real loss:
    it recovers them from the segment when it starts.
    """
    segment = _segment(node, topic, partition)
    data = segment.read_bytes()
    cut_at = next((at for at, base_offset in _batches(data) if base_offset >= keep), None)
    assert cut_at is not None, f"{segment} has no batch from offset {keep} on"
    segment.write_bytes(data[:cut_at])
    for kind in ("*.index", "*.timeindex", "*.snapshot"):
        for derived in segment.parent.glob(kind):
            derived.unlink()


def flip_last_byte(node: HasLogs, topic: str, partition: int) -> None:
    """Change the last byte of a log; the broker must have been stopped cleanly.

    It then serves the batch as it is, and whoever reads it finds a wrong CRC-32C.
    """
    segment = _segment(node, topic, partition)
    data = bytearray(segment.read_bytes())
    data[-1] ^= 0xFF
    segment.write_bytes(data)


def _segment(node: HasLogs, topic: str, partition: int) -> Path:
    return node.data_dir / f"{topic}-{partition}" / f"{0:020d}.log"


def _batches(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each batch begins in the bytes of a segment, and its base offset."""
    at = 0
    # A segment that is still open ends with room that was allocated ahead.
    while at + _BATCH_HEAD.size <= len(data):
        base_offset, length = _BATCH_HEAD.unpack_from(data, at)
        if length == 0:
            return
        yield at, base_offset
        at += _BATCH_HEAD.size + length
