"""The audit store: append-only, one Merkle log, the same contract on SQLite and PostgreSQL.

The port that the recorder writes through and everybody else reads through. Decoding a body,
verifying the whole (:mod:`cryotrail_audit.verification`) and creating the tables
(:mod:`cryotrail_audit.migration`) are not in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from cryotrail_audit.migration import migrate
from cryotrail_audit.places import Places
from cryotrail_audit.records import (
    AppendOutcome,
    Counts,
    Entry,
    Head,
    IncomingBatch,
    Position,
    PositionReset,
    Replay,
    Skip,
    StoredSchema,
    StoredTopic,
)
from cryotrail_audit.sql_store import SqlStore

__all__ = ["AuditStore", "migrate", "open_store"]


class AuditStore(Protocol):
    """An append-only log of everything that arrived, and where each partition stands.

    Nothing is ever updated or deleted. Entries are numbered 0, 1, 2, … under a lock, in the
    order of their commits: whoever has read up to n has read all there is up to n, and asks for
    what follows n next. That number is the entry's ``seq`` while the store has one log; a store
    that was restored and continued has several, each with a ``seq`` of its own, and the number is
    the entry's *place* (:mod:`cryotrail_audit.places`): every parameter and result here that is
    named ``seq`` or ``tree_size`` is of places. A store may be shared between threads and opened by many
    processes; appends take turns. Every method may raise :class:`StoreUnavailable` or
    :class:`StoreBusy`, both retriable.
    """

    def origin(self) -> str:
        """The newest log's name for all time, such as ``hospital.example/cryoablation``."""
        ...

    def append(self, batch: IncomingBatch) -> AppendOutcome:
        """Append a batch in one transaction: all of it, or nothing of it.

        Under the lock, in this order: the claim of each partition is checked, then its position;
        records that are known are set aside; what is left gets ``seq``, ``procedure_entry_no``,
        ``recorded_us`` and its leaf, behind the administrative entries of the batch; the
        batch row with the new root and the position of each partition follow.

        A record is *redelivered* when an entry, or an earlier record of the batch, has its event
        id and its content: the same content hash, or, decoded each by its own schema, the same
        value in every field. It is written down as a redelivery, not as an entry. The same id
        with other content is appended as a conflict (kind 1) and counted; nothing is dropped.

        :raises Fenced: a partition has a newer claim, or one of another owner.
        :raises PositionMoved: a partition begins before the position that is recorded, or in an
            earlier incarnation. So a second call with the same batch appends nothing.
        A record with a ``source_seq`` is replayed from quarantine: it has the coordinates of that
        entry, belongs to no partition of the batch and moves no position. What it repeats is said in
        an administrative entry of type ``replay``, since its redelivery is no other record in Kafka.

        :raises NotReplayable: its ``source_seq`` is no quarantined entry with its coordinates, or
            one that was replayed before with other content.
        :raises BatchRefused: a record lies outside its partition's offsets or out of order, or
            a value fits no column (U+0000 in text, an integer out of
            range, a UUID or hash of the wrong length): what cannot be stored as an event is to
            be quarantined by the caller.
        :raises StoreUnsafe: the server gives durability up (``synchronous_commit=off``).
        :raises ClockJumped: the wall clock may be wrong by more than five minutes, and no operator
            has confirmed it; retriable.
        """
        ...

    def register_topic(self, cluster_id: str, topic_uuid: UUID, name: str) -> int:
        """The id of a topic; a new one is also said in the log (kind 3, ``topic``). Idempotent."""
        ...

    def register_schema(
        self, text: str, fingerprint: bytes, event_type: str, version: int | None
    ) -> bytes:
        """The SHA-256 of a schema's text; a new one is also said in the log (kind 3, ``schema``).

        Idempotent. A text that differs from a known one in documentation, aliases or unknown
        properties alone gets its own row.

        :raises FingerprintCollision: a text that means something else has this fingerprint.
        """
        ...

    def claim(self, owner: str, topic_id: int, parts: Iterable[int]) -> dict[int, int]:
        """Take partitions over: a new epoch each, by partition number.

        From here on :meth:`append` fences whoever claimed them before.
        """
        ...

    def check_claims(self, owner: str, epochs: Mapping[tuple[int, int], int]) -> None:
        """Return while these claims, by topic id and partition number, are the newest.

        :raises Fenced: another owner has claimed one of the partitions since.
        :raises PositionMoved: an operator reset the position of one.
        """
        ...

    def reset_positions(
        self,
        resets: Sequence[PositionReset],
        owner: str,
        reason: str | None,
        decided_by: str,
    ) -> AppendOutcome:
        """Move positions, back or forth, in one transaction that says so in the log.

        Each partition gets a new claim, which stops whoever reads it; a position of no record; and
        an entry of type ``position_reset`` (kind 3). Records that are recorded stay recorded.

        :param owner: begins with :data:`~cryotrail_audit.records.RESET_OWNER`.
        :raises PositionMoved: a partition is not at its ``recorded_offset`` any more; nothing was
            moved.
        """
        ...

    def position(self, topic_name: str, part: int) -> Position | None:
        """Where a partition stands, over all topics that ever had this name; None = never read."""
        ...

    def furthest_position(self, position: Position) -> Position:
        """The position as far as its incarnation was ever recorded; ahead of it after a reset back.

        Below it a record may be known by its coordinates already; from it on none is.
        """
        ...

    def incarnation_begin(self, position: Position) -> int:
        """The first offset that was looked at in the incarnation of a position."""
        ...

    def skips(self, position: Position) -> list[Skip]:
        """What resets left unread in the incarnation of a position, in the order of the log."""
        ...

    def known_offsets(
        self, topic_id: int, part: int, incarnation: int, first: int, last: int
    ) -> set[int]:
        """The offsets from ``first`` to ``last``, both included, that are recorded already."""
        ...

    def recorded_at(
        self, topic_id: int, part: int, first: int, last: int
    ) -> Mapping[int, tuple[bytes | None, bytes | None]]:
        """Key and value of what was last recorded at the offsets from ``first`` to ``last``.

        Last, since an offset occurs again in each incarnation; offsets never recorded are absent.
        """
        ...

    def entries(
        self,
        after_seq: int = -1,
        through_seq: int | None = None,
        kinds: Collection[int] = (0, 1, 2, 3),
        batch_rows: int = 5000,
    ) -> Iterator[list[Entry]]:
        """Entries with ``after_seq < place <= through_seq`` in order, in lists that are not empty.

        Each list is its own short read, so no transaction stays open while the caller works.
        """
        ...

    def places(self) -> Places:
        """The logs of the store, and where each begins."""
        ...

    def place_of(self, entry: Entry) -> int:
        """Where an entry of this store stands among those of all logs; ``seq`` in the first log."""
        ...

    def entry_of(self, event_id: UUID, through_seq: int | None = None) -> Entry | None:
        """The entry of an event id; where there are conflicts, the event that came first.

        :param through_seq: as if the log ended with this entry.
        """
        ...

    def procedure_entries(
        self, procedure_id: UUID, through_seq: int | None = None, batch_rows: int = 5000
    ) -> Iterator[list[Entry]]:
        """The entries of a procedure by ``procedure_entry_no``, in lists that are not empty."""
        ...

    def replays(self, source_seqs: Collection[int] | None = None) -> Mapping[int, Replay]:
        """What became of quarantined entries, all or these: by their place those replayed since."""
        ...

    def topics(self) -> Mapping[int, StoredTopic]:
        """All topics by their id."""
        ...

    def schemas(self) -> Mapping[bytes, StoredSchema]:
        """All schemas by the SHA-256 of their text."""
        ...

    def head(self, tree_size: int | None = None) -> Head:
        """The end of the store as of now, or when it had ``tree_size`` entries.

        :raises AuditError: the store has fewer entries.
        """
        ...

    def size_as_of(self, recorded_us: int) -> int:
        """How many entries the store had at a time of its clock: what was known then.

        The newest batch that was recorded by then; what a transaction appended became known at
        once. Entries are never removed, so those with a place below this size are still all there.
        """
        ...

    def counts(self) -> Counts:
        """How many rows of each kind there are."""
        ...

    def close(self) -> None:
        """Give the connections back; the store cannot be used afterwards."""
        ...


def open_store(url: str) -> AuditStore:
    """Open the store at a database URL (``sqlite:///FILE`` or ``postgresql+psycopg://…``).

    :raises StoreNotReady: nothing there, or a schema that this program does not know.
    :raises StoreUnsafe: the database's encoding is not UTF-8.
    :raises StoreUnavailable: the server does not answer.
    """
    return SqlStore.open(url)
