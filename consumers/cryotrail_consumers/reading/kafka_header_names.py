"""Header names that are not UTF-8, which kafka-python takes for a damaged log.

Kafka's protocol says that a header name is UTF-8 text (KIP-82), but no broker looks, and a client
in C sends whatever it is given. kafka-python 3.0.12 raises ``CorruptRecordError`` at such a record
although its batch passes the checksum, and could never be led past it. Here such a name is decoded
so that its bytes can be had again (PEP 383); what becomes of the record is for the decoder to say.
"""

from __future__ import annotations

from typing import Any

from kafka.record.default_records import DefaultRecordBatch


class EscapedName(str):
    """A header name that is not UTF-8: each byte that does not fit stands as a lone surrogate."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> bytes:
        """The bytes that were sent."""
        return super().encode(encoding, "surrogateescape")


def escape_header_names(consumer: Any) -> None:
    """Let a kafka-python consumer return records whose header names are not UTF-8.

    Their names are :class:`EscapedName`, all others plain text. Other clients of the process are
    left as they are: what is replaced is the class that this consumer's fetcher unpacks with.
    """
    fetcher = consumer._fetcher

    class PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc, name-defined]
        def _unpack_records(self, partition: Any, records: Any, *deserializers: Any) -> Any:
            return super()._unpack_records(partition, _EscapingRecords(records), *deserializers)

    fetcher.PartitionRecords = PartitionRecords


class _EscapingRecords:
    """The batches of one fetch; of kafka-python's ``MemoryRecords`` unpacking needs no more."""

    def __init__(self, records: Any) -> None:
        self._records = records

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        if type(batch) is DefaultRecordBatch:  # older formats have no headers
            batch.__class__ = _EscapingBatch
        return batch


class _EscapingBatch(DefaultRecordBatch):  # type: ignore[misc]
    """A batch that reads on behind the first name that is not UTF-8, if it has one."""

    __slots__ = ()

    def _read_msg(self) -> Any:
        try:
            return super()._read_msg()
        except UnicodeDecodeError:
            # The position moves behind a record only when all of it was read.
            self._buffer = _EscapingBuffer(self._buffer)  # type: ignore[misc, has-type]
            return super()._read_msg()


class _EscapingBuffer(bytearray):
    """The bytes of a batch, whose slices decode to an :class:`EscapedName` where they must."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return _EscapingBuffer(found) if isinstance(index, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        try:
            return super().decode(encoding, errors)
        except UnicodeDecodeError:
            return EscapedName(super().decode(encoding, "surrogateescape"))
