"""A range of entries, checked on its own: what can be known of it without those before it.

Ranges are read by several processes, each entry hashed from its own bytes. What needs the
entries before a range (the tree, the times of batches, the numbers within a procedure that began
earlier) is left in :class:`RangeFindings` for the verifier to join.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from cryotrail_audit.framing import FRAMING
from cryotrail_audit.records import ADMINISTRATIVE, CONFLICT, KINDS

TILE: Final = 256
"""Leaves of a tile of level 0."""
RANGE: Final = TILE * TILE
"""Entries of a full range: 2**16, the leaves below one tile of level 1."""

_SAID: Final = frozenset((b"topic", b"schema", b"key", b"continued"))


class SeqRange(NamedTuple):
    """The entries ``first <= seq < end``."""

    first: int
    end: int


class Broken(Exception):
    """The first thing that is not as it should be, and the entry that it concerns."""

    def __init__(self, seq: int | None, reason: str) -> None:
        super().__init__(reason)
        self.seq, self.reason = seq, reason


class ProcedurePart(NamedTuple):
    """The entries of one procedure within a range."""

    first_no: int
    """``procedure_entry_no`` of the first of them; the others follow it without a gap."""
    seqs: array[int]
    """``seq`` of each, less the range's ``first``."""


class RangeFindings(NamedTuple):
    """What the entries of a range give, up to the first that is not as it should be."""

    of: SeqRange
    leaf_hashes: bytes
    """Computed, 32 bytes each, of the entries found in order."""
    times: list[tuple[int, int]]
    """(seq, recorded_us) wherever ``recorded_us`` is another than that of the entry before."""
    procedures: dict[bytes, ProcedurePart]
    said: list[tuple[int, bytes, bytes | None]]
    """(seq, event_type, raw) of administrative entries that give something its meaning."""
    broken: tuple[int, str] | None
    """Which entry is not as it should be, and why."""


def ranges_of(first: int, end: int) -> Iterator[SeqRange]:
    """``first <= seq < end`` in ranges that end at multiples of 2**16.

    The last one is cut at a multiple of 256 too, so that a later run can begin there.
    """
    cut = end - end % TILE
    while first < end:
        stop = min(first - first % RANGE + RANGE, end)
        if first < cut < stop:
            stop = cut
        yield SeqRange(first, stop)
        first = stop


class RangeCheck:
    """Takes the entries of a range one after another."""

    __slots__ = ("_of", "_procedures", "_recorded_us", "_said", "_seq", "_times", "leaf_hashes")

    def __init__(self, of: SeqRange) -> None:
        self._of = of
        self._seq = of.first
        self._recorded_us: int | None = None
        self._times: list[tuple[int, int]] = []
        self._procedures: dict[bytes, ProcedurePart] = {}
        self._said: list[tuple[int, bytes, bytes | None]] = []
        self.leaf_hashes: list[bytes] = []

    @property
    def next_seq(self) -> int:
        """The entry that has to come next."""
        return self._seq

    def take(
        self,
        framing: int,
        kind: int,
        entry_no: int | None,
        seq: int,
        recorded_us: int,
        event_type: bytes | None,
        procedure_id: bytes | None,
        raw: bytes | None,
        content_hash: bytes,
        stored_leaf_hash: bytes,
        computed_leaf_hash: bytes,
    ) -> None:
        """Check the next entry, and keep what it gives.

        :raises Broken: it is not as it should be.
        """
        if seq != self._seq:
            _raise_out_of_order(self._seq, seq)
        if computed_leaf_hash != stored_leaf_hash or framing != FRAMING or kind not in KINDS:
            _raise_altered(seq, framing, kind, computed_leaf_hash != stored_leaf_hash)
        # An event is Avro single object (10 bytes of framing) or Confluent (5); nothing else is
        # recorded as one.
        if kind > CONFLICT:
            body = raw or b""
        elif raw and raw.startswith(b"\xc3\x01"):
            body = raw[10:]
        else:
            body = (raw or b"")[5:]
        if sha256(body).digest() != content_hash:
            raise Broken(seq, f"entry {seq}: its content hash is not that of its bytes")
        if recorded_us != self._recorded_us:
            self._recorded_us = recorded_us
            self._times.append((seq, recorded_us))
        if kind != ADMINISTRATIVE and procedure_id is not None:
            if entry_no is None:
                raise Broken(seq, f"entry {seq}: it has no number within its procedure")
            part = self._procedures.get(procedure_id)
            if part is None:
                part = self._procedures[procedure_id] = ProcedurePart(entry_no, array("I"))
            elif entry_no != part.first_no + len(part.seqs):
                raise Broken(seq, wrong_number(seq, entry_no, part.first_no + len(part.seqs)))
            part.seqs.append(seq - self._of.first)
        else:
            if entry_no is not None:
                raise Broken(seq, wrong_number(seq, entry_no, None))
            if kind == ADMINISTRATIVE and event_type in _SAID:
                assert event_type is not None
                self._said.append((seq, event_type, raw))
        self.leaf_hashes.append(computed_leaf_hash)
        self._seq = seq + 1

    def findings(self, broken: Broken | None = None) -> RangeFindings:
        """What the entries taken so far give, and what ended them."""
        return RangeFindings(
            self._of,
            b"".join(self.leaf_hashes),
            self._times,
            self._procedures,
            self._said,
            None if broken is None else (broken.seq or 0, broken.reason),
        )


def wrong_number(seq: int, entry_no: int | None, expected: int | None) -> str:
    """What is said of an entry whose number within its procedure is not the next."""
    return f"entry {seq}: number {entry_no} within its procedure should be {expected}"


def _raise_out_of_order(expected: int, seq: int) -> None:
    raise Broken(
        min(seq, expected),
        f"entry {expected} is missing: {seq} follows {expected - 1}"
        if seq > expected
        else f"entry {seq} is there twice",
    )


def _raise_altered(seq: int, framing: int, kind: int, leaf_differs: bool) -> None:
    if framing != FRAMING:
        raise Broken(seq, f"entry {seq}: framing {framing} is not known")
    if leaf_differs:
        raise Broken(
            seq, f"entry {seq}: its columns do not give its leaf hash; one of them was changed"
        )
    raise Broken(seq, f"entry {seq}: kind {kind} is not known")
