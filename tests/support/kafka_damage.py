"""What power cuts and bad disks do to the log of a broker that is not running."""

from __future__ import annotations

import struct

from kafka_fixtures import KafkaNode

_BATCH_HEAD = struct.Struct(">qi")
"""Base offset, and the length of what follows: the beginning of every record batch."""


def cut_tail(node: KafkaNode, topic: str, partition: int, keep: int) -> None:
    """Cut a log so that it ends before offset ``keep``; the broker must have been killed.

    What the broker derived from the log is removed with the tail, as it is after a real loss:
    it recovers them from the segment when it starts.
    """
    folder = node.data_dir / f"{topic}-{partition}"
    segment = folder / f"{0:020d}.log"
    data = segment.read_bytes()
    at = 0
    while at < len(data):
        base_offset, length = _BATCH_HEAD.unpack_from(data, at)
        if base_offset >= keep:
            break
        at += _BATCH_HEAD.size + length
    assert at < len(data), f"{segment} has no batch from offset {keep} on"
    segment.write_bytes(data[:at])
    for kind in ("*.index", "*.timeindex", "*.snapshot"):
        for derived in folder.glob(kind):
            derived.unlink()


def flip_last_byte(node: KafkaNode, topic: str, partition: int) -> None:
    """Change the last byte of a log; the broker must have been stopped cleanly.

    It then serves the batch as it is, and whoever reads it finds a wrong CRC-32C.
    """
    segment = node.data_dir / f"{topic}-{partition}" / f"{0:020d}.log"
    data = bytearray(segment.read_bytes())
    data[-1] ^= 0xFF
    segment.write_bytes(data)
