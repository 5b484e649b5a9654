"""Logs that continue one another: a store that was restored from a backup goes on under a new name.

What was signed of the old log and is no longer there cannot be given back; the first entry of the
new one says so, and names what the old one had.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from cryotrail_audit.evidence import Evidence, LogRow
from cryotrail_audit.evidence.range import Broken, SeqRange
from cryotrail_audit.verification.expected import Expected


class Continuation(NamedTuple):
    """What entry 0 of a log that continues another says of that one."""

    origin: str
    signed_size: int
    """Size of the last checkpoint that was signed of it."""
    signed_root: bytes
    restored_size: int
    """How many of its entries were there after the restore."""

    def expected(self) -> Expected | None:
        """The root that the restored log must have, where it has as much as was signed."""
        if self.signed_size > self.restored_size:
            return None
        said = f"the log that continues it says what was signed of {self.origin}"
        return Expected(
            self.signed_size,
            self.signed_root,
            f"{said}: its first {self.signed_size} entries give another root",
            f"{said}: {self.signed_size} entries; it has fewer",
        )


def check_logs(evidence: Evidence) -> Sequence[LogRow]:
    """The rows of ``log``: 1, 2, …, each with the name of the one before it.

    :raises Broken: they are not so.
    """
    logs = evidence.logs()
    if not logs:
        table = evidence.foreign_table(0)
        raise Broken(
            None,
            "the store has 0 logs instead of one"
            + ("" if table is None else f": its row is gone while {table} has rows of it"),
        )
    before = None
    for log_id, log in enumerate(logs, 1):
        if log.log_id != log_id:
            raise Broken(None, f"log {log_id} is missing: {log.log_id} stands in its place")
        if log.continues != before:
            raise Broken(None, f"log {log.origin} continues {log.continues}, it should be {before}")
        before = log.origin
    return logs


def continuation_of(evidence: Evidence, log: LogRow) -> Continuation:
    """What the first entry of a log says of the one before it.

    :raises Broken: it says nothing of the kind.
    """
    with closing(evidence.ranges(log.log_id, [SeqRange(0, 1)])) as ranges:
        said = next(ranges).said
    try:
        ((_, event_type, raw),) = said
        payload = json.loads(raw or b"null")
        found = Continuation(
            payload["origin"],
            payload["signed_size"],
            bytes.fromhex(payload["signed_root"]),
            payload["restored_size"],
        )
        if event_type != b"continued" or not all(
            isinstance(size, int) for size in (found.signed_size, found.restored_size)
        ):
            raise ValueError(event_type)
    except (ValueError, TypeError, LookupError) as error:
        raise Broken(
            None, f"log {log.origin} continues {log.continues}: its entry 0 does not say so"
        ) from error
    return found


def check_continued(found: Continuation, before: LogRow, size: int) -> None:
    """What was said of the log before must be so.

    :param size: how many entries it has.
    :raises Broken: it is not.
    """
    if (found.origin, found.restored_size) != (before.origin, size):
        raise Broken(
            None,
            f"the log that continues {before.origin} says that {found.origin} had"
            f" {found.restored_size} entries; {before.origin} has {size}",
        )
