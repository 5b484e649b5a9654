"""A store that was signed, backed up, written to and signed again, restored and continued."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from backups import Backup, backup
from handmade_case import Case
from recorded_events import EventRecorder

from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.continuing import ContinuedLog, continue_log
from cryotrail_audit.records import Entry
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_schemas.events import Event

SIGNED_S = 1_790_000_000


@dataclass
class Restored:
    """Case 1 was begun before the backup; the rest of it and case 2 are lost by the restore."""

    url: str
    key: LogKey
    kept: list[Event]
    lost: list[Event]
    early: bytes
    """Signed before the backup."""
    last: bytes
    """Signed after everything."""
    taken: Backup

    def continued(self, **options: object) -> ContinuedLog:
        """The log that continues the restored one."""
        signed = [self.last, self.early]
        return continue_log(self.url, signed, "disk failed", **options)  # type: ignore[arg-type]


@contextmanager
def restored(url: str) -> Iterator[Restored]:
    """A store of the fixtures after a restore."""
    first, second = Case(1).whole(), Case(2).whole()
    kept, lost = first[:5], [*first[5:], *second]
    with closing(open_store(url)) as store:
        key = LogKey.create(store.origin())
        recorder = EventRecorder(store)
        recorder.record(*kept)
        early = signed(store, key)
    with backup(url) as taken:
        with closing(open_store(url)) as store:
            going_on(store, kept).record(*lost)
            last = signed(store, key)
        taken.restore()
        yield Restored(url, key, kept, lost, early, last, taken)


def going_on(store: AuditStore, recorded: list[Event]) -> EventRecorder:
    """A recorder that was started again behind these events, which keep their numbers."""
    recorder = EventRecorder(store)
    for event in recorded:
        recorder.incoming(event)
    return recorder


def signed(store: AuditStore, key: LogKey) -> bytes:
    """A checkpoint of a store that has one log, kept outside."""
    head = store.head()
    text = Checkpoint(store.origin(), head.tree_size, head.root).to_text()
    return key.sign(text, SIGNED_S).to_bytes()


def entries(store: AuditStore, *args: int, **options: object) -> list[Entry]:
    """Entries of all logs."""
    batches = store.entries(*args, **options)  # type: ignore[arg-type]
    return [entry for several in batches for entry in several]
