"""What a signer remembers of a log, in a file of its own: the only thing that it believes.

It holds the frontier of the tree over all entries hashed so far, the end of the batch chain, and
of every procedure how many entries it has and a chain over their leaves. That is enough to go on
from new rows alone, and to notice any other past.

The file is replaced as a whole and is on the disk, name included, before a signature is made.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryotrail_audit.batch_chain import NO_BATCH
from cryotrail_audit.checkpoints import durable_files
from cryotrail_audit.checkpoints.checkpoint import Checkpoint, batches_origin
from cryotrail_audit.checkpoints.errors import MemoryLost, SigningRefused
from cryotrail_schemas.errors import SchemaError
from cryotrail_schemas.merkle import Frontier

VERSION: Final = 1


class ProcedureCount(NamedTuple):
    """How many entries of a procedure were hashed, and a chain over their leaves in order."""

    entry_count: int = 0
    chain: bytes = bytes(32)

    def with_leaves(self, leaf_hashes: Sequence[bytes]) -> ProcedureCount:
        """The same with further entries."""
        chain = self.chain
        for leaf_hash in leaf_hashes:
            chain = sha256(chain + leaf_hash).digest()
        return ProcedureCount(self.entry_count + len(leaf_hashes), chain)


@dataclass(frozen=True, slots=True)
class Memory:
    """A log as it was hashed so far. Never changed: a later one takes its place."""

    origin: str
    frontier: Frontier = field(default_factory=Frontier)
    """Not to be extended in place."""
    batch_count: int = 0
    batch_hash: bytes = NO_BATCH
    """Of the last batch."""
    recorded_us: int = 0
    """Of the last batch."""
    procedures: Mapping[bytes, ProcedureCount] = field(default_factory=dict)
    published_batches: int = 0
    """How many batches the newest checkpoint covers that is known to be in the store."""
    heads_due: tuple[bytes, ...] = ()
    """Procedures whose head is to be signed with the next checkpoint."""

    @property
    def size(self) -> int:
        """Entries hashed."""
        return self.frontier.size

    @property
    def checkpoint(self) -> Checkpoint:
        """Size and root of the log."""
        return Checkpoint(self.origin, self.size, self.frontier.root())

    @property
    def batches_checkpoint(self) -> Checkpoint:
        """Length and end of the batch chain."""
        return Checkpoint(batches_origin(self.origin), self.batch_count, self.batch_hash)

    def published(self) -> Memory:
        """The same once everything signed is in the store."""
        return replace(self, published_batches=self.batch_count, heads_due=())

    def to_json(self) -> str:
        """The text of the file."""
        return json.dumps(
            {
                "version": VERSION,
                "origin": self.origin,
                "size": self.size,
                "root": self.frontier.root().hex(),
                "frontier": self.frontier.to_bytes().hex(),
                "batch_count": self.batch_count,
                "batch_hash": self.batch_hash.hex(),
                "recorded_us": self.recorded_us,
                "published_batches": self.published_batches,
                "heads_due": [procedure_id.hex() for procedure_id in self.heads_due],
                "procedures": {
                    procedure_id.hex(): [count.entry_count, count.chain.hex()]
                    for procedure_id, count in self.procedures.items()
                },
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> Memory:
        """Read the text of the file.

        :raises ValueError: it is not what :meth:`to_json` wrote.
        """
        try:
            said: dict[str, Any] = json.loads(text)
            memory = cls(
                origin=said["origin"],
                frontier=Frontier.from_bytes(said["size"], bytes.fromhex(said["frontier"])),
                batch_count=said["batch_count"],
                batch_hash=bytes.fromhex(said["batch_hash"]),
                recorded_us=said["recorded_us"],
                published_batches=said["published_batches"],
                heads_due=tuple(map(bytes.fromhex, said["heads_due"])),
                procedures={
                    bytes.fromhex(procedure_id): ProcedureCount(count, bytes.fromhex(chain))
                    for procedure_id, (count, chain) in said["procedures"].items()
                },
            )
        except (KeyError, TypeError, AttributeError, SchemaError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        if memory.to_json() != text:
            raise ValueError("it contradicts itself")
        return memory


class MemoryFile:
    """Where a memory is kept; one process at a time works with it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether there is one."""
        return self.path.exists()

    def begin(self, origin: str) -> None:
        """Write the memory of a key that has signed nothing yet.

        :raises SigningRefused: there is one already.
        """
        with self.locked():
            if self.exists():
                raise SigningRefused(f"{self.path} is there already: a memory is never begun again")
            self.save(Memory(origin))

    def load(self) -> Memory:
        """What was saved last.

        :raises MemoryLost: it is missing or was changed.
        """
        hint = (
            "bring the file back; else give a checkpoint that was kept outside: "
            "cryotrail audit sign --adopt FILE"
        )
        try:
            return Memory.from_json(self.path.read_text(encoding="utf-8"))
        except OSError as error:
            raise MemoryLost(
                f"the memory of what was signed cannot be read: {self.path}: {error.strerror}",
                hint=hint,
            ) from error
        except ValueError as error:
            raise MemoryLost(
                f"the memory of what was signed is damaged: {self.path}: {error}", hint=hint
            ) from error

    def save(self, memory: Memory) -> None:
        """Replace the file; on return it is on the disk."""
        durable_files.replace(self.path, memory.to_json().encode(), 0o600)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only process that works with this memory; waits for another."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self.path.with_name(f"{self.path.name}.lock")
        with lock.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
