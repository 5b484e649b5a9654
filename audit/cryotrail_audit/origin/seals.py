"""What one seal says about what was recorded: the rules stand in :mod:`cryotrail_audit.origin`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import Any, Final
from uuid import UUID

from cryotrail_audit.origin.rows import Row
from cryotrail_audit.origin.signatures import Judgement
from cryotrail_audit.records import CONFLICT, EVENT
from cryotrail_schemas.merkle import leaf_hash, root

_MOST_COMBINATIONS: Final = 256

_Choice = bytes | None
"""The content of an event in a recorded set; None = it is not there."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a seal says."""

    seq: int
    event_id: UUID
    occurred_us: int
    producer_ids: frozenset[str]
    """Empty = all that occurred until then."""
    event_count: int
    telemetry_chunk_count: int
    content_root: bytes

    @classmethod
    def of(cls, seq: int, plain: Mapping[str, Any]) -> Seal:
        """From the plain fields of a ``ProcedureSealed``."""
        return cls(
            seq=seq,
            event_id=UUID(plain["header"]["event_id"]),
            occurred_us=plain["header"]["occurred_at"],
            producer_ids=frozenset(plain["sealed_producer_ids"]),
            event_count=plain["event_count"],
            telemetry_chunk_count=plain["telemetry_chunk_count"],
            content_root=plain["content_root"],
        )

    def covers(self, row: Row) -> bool:
        """Whether the seal stands for a row."""
        if row.is_seal:
            return False
        if self.producer_ids:
            return row.producer_id in self.producer_ids
        return row.occurred_us is not None and row.occurred_us <= self.occurred_us


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """What was recorded beside what was sealed."""

    seq: int
    event_id: UUID
    signature: Judgement
    seal: Seal | None
    """None = unreadable, or of another procedure: it stands for nothing."""
    missing: int = 0
    extra: int = 0
    content_differs: bool = False
    displaced: tuple[UUID, ...] = ()
    """Events whose sealed content is in the store as a conflict alone: another came first."""

    @property
    def is_complete(self) -> bool:
        """Everything that was sealed was recorded, and nothing else."""
        different = self.missing or self.extra or self.content_differs or self.displaced
        return self.seal is not None and not different

    def words(self) -> str:
        """The verdict without the signature: ``sealed and complete``, ``missing 2``, …"""
        if self.seal is None:
            return "seal unreadable"
        said = [
            f"missing {self.missing}" if self.missing else "",
            f"{self.extra} extra" if self.extra else "",
            "content differs" if self.content_differs else "",
            f"{len(self.displaced)} displaced" if self.displaced else "",
        ]
        return ", ".join(word for word in said if word) or "sealed and complete"


def compare(seal: Seal, rows: Sequence[Row], signature: Judgement) -> SealVerdict:
    """Compare what a seal says with the rows of its procedure."""
    covered: dict[bytes, list[Row]] = defaultdict(list)
    for row in rows:
        if seal.covers(row):
            covered[row.event_id].append(row)
    event_ids = sorted(covered)
    choices = [_choices(covered[event_id]) for event_id in event_ids]
    telemetry = [covered[event_id][0].is_telemetry for event_id in event_ids]

    for chosen in _combinations(choices):
        if _counts(chosen, telemetry) == (
            seal.event_count,
            seal.telemetry_chunk_count,
        ) and seal.content_root == root(leaf_hash(one) for one in chosen if one is not None):
            displaced = tuple(
                UUID(bytes=event_id)
                for event_id, content in zip(event_ids, chosen, strict=True)
                if content is not None and _only_in_conflict(content, covered[event_id])
            )
            return SealVerdict(seal.seq, seal.event_id, signature, seal, displaced=displaced)

    events, chunks = _counts([first[0] for first in choices], telemetry)
    lacking = (seal.event_count - events, seal.telemetry_chunk_count - chunks)
    return SealVerdict(
        seal.seq,
        seal.event_id,
        signature,
        seal,
        missing=sum(max(0, count) for count in lacking),
        extra=sum(max(0, -count) for count in lacking),
        content_differs=lacking == (0, 0),
    )


def _choices(rows: Sequence[Row]) -> list[_Choice]:
    """The contents of one event in the order of the rows; "not there" before mere conflicts."""
    first = [row.content for row in rows if row.kind == EVENT]
    conflicts = [row.content for row in rows if row.kind == CONFLICT]
    ordered: list[_Choice] = [*first, *conflicts] if first else [None, *conflicts]
    return list(dict.fromkeys(ordered))


def _combinations(choices: Sequence[Sequence[_Choice]]) -> Iterator[Sequence[_Choice]]:
    """What may have been sealed: the recorded set first, alone when there are too many."""
    count = prod(len(one) for one in choices)
    return islice(product(*choices), count if count <= _MOST_COMBINATIONS else 1)


def _counts(chosen: Sequence[_Choice], telemetry: Sequence[bool]) -> tuple[int, int]:
    """How many discrete events, and how many chunks."""
    present = [
        is_chunk for content, is_chunk in zip(chosen, telemetry, strict=True) if content is not None
    ]
    return len(present) - sum(present), sum(present)


def _only_in_conflict(content: bytes, rows: Sequence[Row]) -> bool:
    return all(row.kind == CONFLICT for row in rows if row.content == content)
