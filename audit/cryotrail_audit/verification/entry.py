"""A verdict written into the log itself, so that it is evidence when the store was verified."""

from __future__ import annotations

from typing import Any, Final

from cryotrail_audit.records import Administrative, AppendOutcome, IncomingBatch
from cryotrail_audit.store import AuditStore
from cryotrail_audit.verification import Verification

EVENT_TYPE: Final = "verification"


def as_json(found: Verification) -> dict[str, Any]:
    """A verdict for programs; what people are told is in ``words`` and ``remarks``."""
    said = found._asdict()
    guards = said.pop("missing_guards")
    return said | {
        "root": found.root.hex(),
        "guards": list(guards) or "in place",
        "anchored": found.anchored,
        "words": found.words,
        "remarks": list(found.remarks),
    }


def record_verification(store: AuditStore, found: Verification) -> AppendOutcome:
    """Append a verdict as an administrative entry; it stands behind the entries it speaks of.

    :raises AuditError: see :meth:`AuditStore.append`.
    """
    said = Administrative(EVENT_TYPE, as_json(found))
    return store.append(IncomingBatch((), (), [said], owner=""))
