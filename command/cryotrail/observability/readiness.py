"""What a process needs, asked afresh: each answers None, or why it is not there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from cryotrail.observability.health import Check
from cryotrail_audit.store import open_store
from cryotrail_consumers.recording.tally import Tally
from cryotrail_schemas.errors import CryotrailError


def store_answers(audit_url: str) -> Check:
    """Whether the audit store can be reached and has the tables of this release."""

    def check() -> str | None:
        try:
            with closing(open_store(audit_url)) as store:
                store.head()
        except CryotrailError as error:
            return str(error)
        return None

    return check


def recorder_reads(tally: Callable[[], Tally]) -> Check:
    """Whether a recorder has its partitions and waits for nothing."""

    def check() -> str | None:
        now = tally()
        if now.waiting_for is not None:
            return f"waits: {now.waiting_for}"
        return None if now.partitions is not None else "no partitions yet"

    return check
