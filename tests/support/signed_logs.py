"""A log with its signer, and what somebody with the database can do to it behind the signer's back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from audit_records import Writer, record
from store_tables import tables_of

from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.memory import MemoryFile
from cryotrail_audit.checkpoints.signer import Signer
from cryotrail_audit.checkpoints.stored import SignedNotes
from cryotrail_audit.checkpoints.witness import Witness
from cryotrail_audit.store import open_store

ORIGIN = "tests.example/store"
"""What the stores of the fixtures are named."""

STARTED_S = 1_790_000_000


@dataclass
class SignedLog:
    """A store of the fixtures, the key of its log, and the folder that its signer remembers in."""

    url: str
    folder: Path
    key: LogKey = field(default_factory=lambda: LogKey.create(ORIGIN))
    _offsets: Iterator[int] = field(default_factory=lambda: count())
    _seconds: Iterator[int] = field(default_factory=lambda: count(STARTED_S))

    def __post_init__(self) -> None:
        if not self.memory.exists():
            self.memory.begin(ORIGIN)

    @property
    def memory(self) -> MemoryFile:
        """The signer's memory."""
        return MemoryFile(self.folder / "log.memory.json")

    def append(self, rows: int = 5, **columns: Any) -> None:
        """One batch more."""
        with closing(open_store(self.url)) as store:
            Writer(store).append([record(next(self._offsets), **columns) for _ in range(rows)])

    def sign(self, **options: Any) -> Any:
        """Sign as a process that has just been started."""
        with self.signer() as signer:
            return signer.sign(**options)

    @contextmanager
    def signer(self, url: str | None = None) -> Iterator[Signer]:
        """A signer with a clock that goes on a second each time it is looked at."""
        opened = Signer(url or self.url, self.key, self.memory, lambda: float(next(self._seconds)))
        with closing(opened) as signer:
            yield signer

    @contextmanager
    def witness(self, key: LogKey) -> Iterator[Witness]:
        """A witness whose memory bears its name."""
        memory = MemoryFile(self.folder / f"{key.name.replace('/', '-')}.memory.json")
        if not memory.exists():
            memory.begin(ORIGIN)
        with closing(
            Witness(self.url, key, self.key.pinned, memory, lambda: float(next(self._seconds)))
        ) as witness:
            yield witness

    @contextmanager
    def notes(self) -> Iterator[SignedNotes]:
        """The signed notes in the store."""
        with closing(SignedNotes.open(self.url)) as notes:
            yield notes

    def signed_sizes(self) -> list[int]:
        """Sizes of the log's checkpoints in the store, the largest first."""
        with self.notes() as notes:
            return [stored.tree_size for stored in notes.checkpoints(ORIGIN)]

    def cut_to(self, batch_count: int) -> None:
        """Roll the log back to its first batches, as whoever owns the database can."""
        with tables_of(self.url) as tables:
            tables.drop_guards()
            sizes = "select max(tree_size) from batch where batch_no < %s"
            ((size,),) = tables.execute(sizes, [batch_count])
            tables.execute("delete from entry where seq >= %s", [size])
            tables.execute("delete from tile where (tile_no + 1) * 256 > %s", [size])
            for table in ("batch", "batch_partition", "redelivery"):
                tables.execute(f"delete from {table} where batch_no >= %s", [batch_count])
