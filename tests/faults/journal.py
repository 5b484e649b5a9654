"""What a publisher says of each event, written so that it survives kill -9: its side of the account.

One line before ``publish`` is called and one after it has returned or raised, each by one write::

    attempted <monotonic us> <event id> <sha256 of the body> <procedure id> <topic>
    returned  <monotonic us> <event id> <microseconds that publish took>
    shed      <monotonic us> <event id> <microseconds>
    refused   <monotonic us> <event id> <microseconds> <error class>
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self
from uuid import UUID

from cryotrail_schemas.codec import encode
from cryotrail_schemas.events import Event
from cryotrail_schemas.topics import topic_of


class Attempt(NamedTuple):
    """An event that was handed to ``publish``; it may be recorded, or not."""

    event_id: UUID
    content_hash: bytes
    procedure_id: UUID
    topic: str


class Latency(NamedTuple):
    """How long one ``publish`` took."""

    began_us: int
    """Of the monotonic clock that all processes share."""
    took_us: int
    accepted: bool
    """Whether it returned."""


class JournalWriter:
    """Appends to one publisher's journal; one process after another may."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def attempted(self, event: Event) -> int:
        """Say what is about to be published; returns the time."""
        header, digest = event.header, sha256(encode(event)).hexdigest()
        now_us = monotonic_us()
        self._write(
            f"attempted {now_us} {header.event_id} {digest} {header.procedure_id}"
            f" {topic_of(event.TYPE)}"
        )
        return monotonic_us()

    def returned(self, event: Event, began_us: int) -> None:
        """``publish`` has returned."""
        self._write(f"returned {began_us} {event.header.event_id} {monotonic_us() - began_us}")

    def shed(self, event: Event, began_us: int) -> None:
        """``publish`` has returned None: the outbox had no room for the chunk."""
        self._write(f"shed {began_us} {event.header.event_id} {monotonic_us() - began_us}")

    def refused(self, event: Event, began_us: int, error: Exception) -> None:
        """``publish`` has raised."""
        took_us = monotonic_us() - began_us
        name = type(error).__name__
        self._write(f"refused {began_us} {event.header.event_id} {took_us} {name}")

    def _write(self, line: str) -> None:
        # One write of less than a page: the system has it whole, whoever dies next.
        os.write(self._file, f"{line}\n".encode())


@dataclass
class Journal:
    """What the journals of all publishers say."""

    attempted: list[Attempt] = field(default_factory=list)
    """Per publisher in the order of its calls."""
    returned: set[UUID] = field(default_factory=set)
    shed: set[UUID] = field(default_factory=set)
    refused: dict[UUID, str] = field(default_factory=dict)
    """Names of the errors that ``publish`` raised."""
    latencies: list[Latency] = field(default_factory=list)
    """Of the calls that returned or raised."""

    @classmethod
    def read(cls, paths: Iterable[Path]) -> Self:
        """Read journals whose writers have ended or are still writing."""
        journal = cls()
        for path in paths:
            for kind, at_us, event_id, *rest in _lines(path):
                if kind == "attempted":
                    attempt = Attempt(
                        UUID(event_id), bytes.fromhex(rest[0]), UUID(rest[1]), rest[2]
                    )
                    journal.attempted.append(attempt)
                    continue
                journal.latencies.append(Latency(int(at_us), int(rest[0]), kind == "returned"))
                if kind == "returned":
                    journal.returned.add(UUID(event_id))
                elif kind == "shed":
                    journal.shed.add(UUID(event_id))
                else:
                    journal.refused[UUID(event_id)] = rest[1]
        return journal


def monotonic_us() -> int:
    """Microseconds of the clock that all processes of a machine share and nobody steps."""
    return time.monotonic_ns() // 1000


def _lines(path: Path) -> Iterator[list[str]]:
    if path.exists():
        # What stands behind the last newline is being written.
        for line in path.read_text(encoding="ascii").split("\n")[:-1]:
            yield line.split()
