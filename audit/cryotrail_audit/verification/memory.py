"""What a verifier remembers of the store that it verified, in a file of its own.

With it a later run reads only what came since. It is the verifier's, and as good as the folder
that it lies in: whoever can write there can make the next run believe anything of the entries
that it does not read.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryotrail_audit.errors import VerifierMemoryRefused
from cryotrail_audit.proofs.growing_tree import GrowingTree
from cryotrail_audit.verification.batches import ChainEnd
from cryotrail_audit.verification.registered import Said
from cryotrail_schemas.errors import SchemaError

_FORMAT: Final = 1


class LogMemory(NamedTuple):
    """The newest log of a store, as far as it was verified."""

    log_id: int
    origins: list[str]
    """Of all logs of the store, this one the last."""
    size: int
    root: bytes
    chain: ChainEnd
    """The batches up to ``size``."""
    start: int
    """Where the next run begins to read: the end of the last full tile."""
    peaks: bytes
    """The frontier at ``start``."""
    begun: list[bytes]
    """The tiles begun at ``start``, by level."""
    entry_nos: dict[bytes, int]
    """The highest number within each procedure, before ``start``."""
    said: Said
    """What the log says of topics and schemas, before ``start``."""

    def tree(self) -> GrowingTree:
        """The tree at ``start``."""
        return GrowingTree(self.start, self.peaks, self.begun)

    def to_json(self) -> dict[str, Any]:
        """As the file has it."""
        return self._asdict() | {
            "format": _FORMAT,
            "root": self.root.hex(),
            "chain": [*self.chain[:-1], self.chain.batch_hash.hex()],
            "peaks": self.peaks.hex(),
            "begun": [level.hex() for level in self.begun],
            "entry_nos": {key.hex(): number for key, number in self.entry_nos.items()},
            "said": [[*key, *said] for key, said in self.said.items()],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> LogMemory:
        """The opposite of :meth:`to_json`.

        :raises ValueError, TypeError, LookupError, SchemaError: it is not what that writes.
        """
        if value.pop("format") != _FORMAT:
            raise ValueError("another format")
        count, size, recorded_us, batch_hash = value["chain"]
        found = cls(
            **value
            | {
                "root": bytes.fromhex(value["root"]),
                "chain": ChainEnd(count, size, recorded_us, bytes.fromhex(batch_hash)),
                "peaks": bytes.fromhex(value["peaks"]),
                "begun": [bytes.fromhex(level) for level in value["begun"]],
                "entry_nos": {bytes.fromhex(key): no for key, no in value["entry_nos"].items()},
                "said": {(kind, key): (seq, digest) for kind, key, seq, digest in value["said"]},
            }
        )
        found.tree()
        return found


def recall(file: Path) -> LogMemory | None:
    """What was remembered; None = nothing yet.

    :raises VerifierMemoryRefused: the file is there and cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(file, error) from error
    try:
        return LogMemory.from_json(json.loads(text))
    except (ValueError, TypeError, LookupError, SchemaError) as error:
        raise _refused(file, error) from error


def remember(file: Path, memory: LogMemory) -> None:
    """Write the file anew, all of it or none; a folder that is made for it is the owner's alone.

    :raises VerifierMemoryRefused: it cannot be written.
    """
    written = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(memory.to_json(), out)
            out.flush()
            os.fsync(out.fileno())
        written.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name too
        finally:
            os.close(folder)
    except OSError as error:
        written.unlink(missing_ok=True)
        raise _refused(file, error) from error


def _refused(file: Path, error: Exception) -> VerifierMemoryRefused:
    return VerifierMemoryRefused(
        f"the verifier's memory {file} cannot be used: {error}",
        hint="verify whole, without --since-last; remove the file if it is of no use any more",
    )
