"""The store as a verifier reads it: every byte of one moment, and nothing that was computed.

The verifier trusts the bytes that come back, no hash and no count that the database offers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, Protocol

from cryotrail_audit.batch_chain import BatchRow, PartitionRow, RedeliveryRow
from cryotrail_audit.records import StoredSchema, StoredTopic

TABLES_OF_A_LOG: Final = ("entry", "batch", "batch_partition", "claim", "redelivery")
"""The tables whose rows name the log that they belong to."""


class ReadEntry(NamedTuple):
    """What verification needs of one row of ``entry``; the leaf is computed from all of it."""

    log_id: int
    framing: int
    kind: int
    procedure_entry_no: int | None
    seq: int
    recorded_us: int
    procedure_id: bytes | None
    event_type: bytes | None
    """In UTF-8."""
    raw: bytes | None
    content_hash: bytes
    stored_leaf_hash: bytes
    computed_leaf_hash: bytes


class Unreadable(Exception):
    """The next row cannot be read, or holds what its column cannot hold."""


class Evidence(Protocol):
    """All rows of one log in one snapshot; whatever is committed meanwhile is not in it.

    Every call and every iteration may raise :class:`Unreadable`.
    """

    def log_ids(self) -> Sequence[int]:
        """The logs that the store has; all else is to be read when there is one."""
        ...

    def entries(self) -> Iterator[ReadEntry]:
        """All entries by seq."""
        ...

    def batches(self) -> Iterator[tuple[BatchRow, bytes]]:
        """All batch rows by ``batch_no``, each with its ``batch_hash``."""
        ...

    def partitions(self) -> Iterator[PartitionRow]:
        """All positions by ``batch_no``."""
        ...

    def redeliveries(self) -> Iterator[RedeliveryRow]:
        """All redeliveries by ``batch_no``."""
        ...

    def topics(self) -> Mapping[int, tuple[StoredTopic, int]]:
        """All topics, each with ``created_us``."""
        ...

    def schemas(self) -> Mapping[bytes, tuple[StoredSchema, int]]:
        """All schemas, each with ``created_us``."""
        ...

    def foreign_rows(self) -> int:
        """How many rows belong to a log that the store does not have."""
        ...

    def damage(self) -> str | None:
        """What the database finds wrong in what no row is read from, such as its indexes.

        None when it finds nothing, or when it cannot be asked.
        """
        ...


class EvidenceDatabase(Protocol):
    """Opens evidence."""

    def evidence(self) -> AbstractContextManager[Evidence]:
        """A snapshot for reading; it writes nothing."""
        ...
