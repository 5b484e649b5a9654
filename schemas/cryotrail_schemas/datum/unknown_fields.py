"""Why a field is not known, said so that the next attempt is right."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from cryotrail_schemas.units import UNIT_OF_SUFFIX, unit_suffix

_DELIVERY: Final = frozenset({"producer_id", "producer_seq", "procedure_seq"})
_STORE: Final = frozenset({"recorded_at", "seq", "partition", "offset"})


def why_unknown(name: str, known: Sequence[str]) -> str:
    """The reason for refusing field ``name`` of a record whose fields are ``known``."""
    if name in _DELIVERY:
        return "unknown field: a delivery number is no part of the event, the outbox gives it"
    if name in _STORE:
        return "unknown field: it belongs to the store, not to the event"
    stem = name.rpartition("_")[0]
    for field in known:
        suffix = unit_suffix(field)
        if suffix and field.removesuffix(f"_{suffix}") in (stem, name):
            return f"unknown field: use {field} (unit {UNIT_OF_SUFFIX[suffix]})"
    close = get_close_matches(name, known, n=1)
    return f"unknown field: did you mean {close[0]}?" if close else "unknown field"
