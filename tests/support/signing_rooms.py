"""Publishers that sign, the keys they sign with, and how a key gets into a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from room_events import SOURCE

from cryotrail_audit.origin.keys import KeyStatement
from cryotrail_audit.records import IncomingBatch
from cryotrail_audit.store import AuditStore
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings, SenderSettings
from cryotrail_producers.signing import Ed25519Signer
from cryotrail_producers.transport import MemoryTransport

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def key(seed: int = 1) -> Ed25519Signer:
    """Always the same key for a number."""
    return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big")))


@contextmanager
def room(
    path: Path,
    transport: MemoryTransport | None = None,
    signer: Ed25519Signer | None = None,
    grace_s: float = 900.0,
) -> Iterator[Publisher]:
    """A publisher on the outbox at ``path``, quick in what it does at intervals."""
    settings = PublisherSettings(
        outbox_path=path,
        source=SOURCE,
        grace_s=grace_s,
        telemetry_sync_s=0.05,
        sender=SenderSettings(poll_s=0.01),
    )
    with Publisher(settings, transport or MemoryTransport(), signer=signer) as publisher:
        yield publisher


def state(store: AuditStore, signer: Ed25519Signer, **said: Any) -> None:
    """Say in the log whose key it is; registered for CT room 2 since long ago unless told."""
    statement: dict[str, Any] = {
        "statement": "registered",
        "public_key": signer.public_key,
        "holder": "CT room 2",
        "valid_from": LONG_AGO,
    }
    entry = KeyStatement(**(statement | said)).entry()
    store.append(IncomingBatch((), (), [entry], owner=""))
