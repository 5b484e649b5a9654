"""Copies of events that were published again after an erasure, and went out without the text.

The key of a person's text is gone, so the same event cannot become the same bytes again: it is
recorded as a conflict. That is what an erasure is for, and nothing that anybody forged.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select, text

from cryotrail_audit.erasure.erase import ERASURE
from cryotrail_audit.origin.rows import RecordedProcedure
from cryotrail_audit.origin.signatures import plain_body
from cryotrail_audit.records import CONFLICT, EVENT, StoredSchema
from cryotrail_audit.tables import ENTRY
from cryotrail_schemas.personal import is_personal, is_personal_path

# Literally, as the partial index has it: a parameter would hide it from the plan.
_ADMINISTRATIVE = text("entry.kind = 3")


def read_erased_keys(connection: Connection) -> frozenset[bytes]:
    """The ids of the keys that the log states to be destroyed."""
    stated = connection.execute(
        select(ENTRY.c.raw).where(_ADMINISTRATIVE, ENTRY.c.event_type == ERASURE)
    ).scalars()
    return frozenset(key_id for raw in stated for key_id in _key_ids(raw))


def _key_ids(raw: bytes | None) -> list[bytes]:
    """What is no statement of an erasure names no key."""
    try:
        return [bytes.fromhex(key_id) for key_id in json.loads(raw or b"")["key_ids"]]
    except (ValueError, TypeError, KeyError):
        return []


def withheld_copies(
    recorded: RecordedProcedure,
    schemas: Mapping[bytes, StoredSchema],
    erased_keys: Collection[bytes],
) -> frozenset[int]:
    """The places of the conflicts that are such a copy.

    Each names an erased key, has no ciphertext, and says what the entry of kind 0 with its id says,
    personal text apart. Anything else that it says differently makes it a conflict like any other.
    """
    if not erased_keys:
        return frozenset()
    candidates = []
    for entry in recorded.entries:
        plain = plain_body(entry, schemas) if entry.kind == CONFLICT else None
        header = {} if plain is None else plain["header"]
        if (
            header.get("personal_ciphertext") is None
            and header.get("personal_key_id") in erased_keys
        ):
            candidates.append((entry, plain))
    wanted = {entry.event_id for entry, _ in candidates}
    first = {
        entry.event_id: (entry.event_type, _without_text(plain_body(entry, schemas)))
        for entry in recorded.entries
        if entry.kind == EVENT and entry.event_id in wanted
    }
    return frozenset(
        entry.seq
        for entry, plain in candidates
        if first.get(entry.event_id) == (entry.event_type, _without_text(plain))
    )


def _without_text(plain: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What is left of an event when nothing of its text is, in clear or encrypted."""
    if plain is None:
        return None
    left = {name: value for name, value in plain.items() if not is_personal(name)}
    left["header"] = {
        name: value
        for name, value in plain["header"].items()
        if name not in ("personal_key_id", "personal_ciphertext")
    }
    if isinstance(changes := plain.get("changes"), list):
        left["changes"] = [_change_without_text(change) for change in changes]
    return left


def _change_without_text(change: Any) -> Any:
    if not isinstance(change, Mapping) or not is_personal_path(str(change.get("path", ""))):
        return change
    return {n: v for n, v in change.items() if n not in ("value_json", "old_value_json")}
