"""What lies in an outbox file, read from outside of the product."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID


def query(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def event_ids(path: Path) -> list[UUID]:
    """In the order of appending."""
    return [UUID(bytes=row[0]) for row in query(path, "SELECT event_id FROM event ORDER BY id")]


def producer_ids(path: Path) -> list[str]:
    """Oldest first."""
    return [row[0] for row in query(path, "SELECT producer_id FROM producer ORDER BY producer_no")]


def producer_seqs(path: Path) -> dict[int, list[int]]:
    """``producer_seq`` of all events, by producer, in the order of appending."""
    found = defaultdict(list)
    for producer_no, seq in query(path, "SELECT producer_no, producer_seq FROM event ORDER BY id"):
        found[producer_no].append(seq)
    return dict(found)


def procedure_seqs(path: Path) -> dict[tuple[int, UUID, str], list[int]]:
    """``procedure_seq`` of all events, by producer, procedure and topic, in order of appending."""
    found = defaultdict(list)
    rows = query(
        path, "SELECT producer_no, procedure_id, topic, procedure_seq FROM event ORDER BY id"
    )
    for producer_no, procedure_id, topic, seq in rows:
        found[producer_no, UUID(bytes=procedure_id), topic].append(seq)
    return dict(found)


def gapless(seqs: list[int]) -> bool:
    return seqs == list(range(1, len(seqs) + 1))
