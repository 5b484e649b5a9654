"""Administrative entries of one type, as they stand in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cryotrail_audit.records import (
    ADMINISTRATIVE,
    Administrative,
    IncomingBatch,
)
from cryotrail_audit.store import AuditStore


class Statement(NamedTuple):
    """One administrative entry."""

    seq: int
    """Its place."""
    recorded_us: int
    payload: dict[str, Any]


def statements(store: AuditStore, event_type: str) -> Iterator[Statement]:
    """The entries of a type, in order."""
    for entries in store.entries(kinds=(ADMINISTRATIVE,)):
        for entry in entries:
            if entry.event_type == event_type:
                payload = json.loads(entry.raw or b"{}")
                yield Statement(store.place_of(entry), entry.recorded_us, payload)


def state(store: AuditStore, event_type: str, payload: dict[str, Any]) -> int:
    """Append one entry; returns its place."""
    batch = IncomingBatch((), (), [Administrative(event_type, payload)], owner="")
    return store.append(batch).first_seq
