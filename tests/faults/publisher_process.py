"""A publisher as a process of its own: the product's SDK, an endless procedure room, a journal."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from uuid import UUID

from room_events import SOURCE, chunk, freeze

from cryotrail_producers.errors import OutboxError
from cryotrail_producers.kafka_connection import KafkaConnection
from cryotrail_producers.outbox_file.budget import Budget
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings, SenderSettings
from cryotrail_producers.transport import KafkaTransport
from cryotrail_schemas.events import Channel, Event
from faults.journal import JournalWriter
from faults.kill_points import Death, arm

DRAIN_S = 90.0
"""How long a publisher that was asked to stop waits for Kafka."""

_CLINICAL_PER_CHUNK = 4
CHUNK_SAMPLES = 10


@dataclass(frozen=True)
class PublisherTask:
    """What one publisher is to do. Processes that follow each other share all but ``death``."""

    outbox: Path
    journal: Path
    log: Path
    bootstrap: str
    end: Path
    """It ends when this file is there. No signal, which could come before it is listened for."""
    procedures: tuple[UUID, ...]
    """Published by no other publisher, so that their order is that of this journal."""
    per_s: float
    limit_bytes: int | None
    """What may wait of clinical events; None = the product's default."""
    telemetry_limit_bytes: int | None = None
    """What may wait of telemetry, all of which may be shed then; None = the product's default."""
    death: Death | None = None


def publish_until_told(task: PublisherTask) -> None:
    """Publish at the task's pace until told to end; then wait until Kafka has everything.

    Exits with 1 when something still waits in the outbox after :data:`DRAIN_S`.
    """
    logging.basicConfig(filename=task.log, level=logging.ERROR, force=True)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    if task.death is not None:
        arm(task.death)
    settings = PublisherSettings(
        outbox_path=task.outbox,
        source=SOURCE,
        telemetry_sync_s=0.2,
        sender=SenderSettings(back_off_max_s=1.0, log_check_s=2.0),
    )
    if task.limit_bytes is not None:
        settings = replace(settings, clinical_budget=Budget(limit_bytes=task.limit_bytes))
    if task.telemetry_limit_bytes is not None:
        budget = Budget(limit_bytes=task.telemetry_limit_bytes)
        sheddable = frozenset(Channel)
        settings = replace(
            settings, telemetry_budget=budget, sheddable_channels=sheddable, gap_report_s=1.0
        )
    journal = JournalWriter(task.journal)
    with Publisher(settings, KafkaTransport(KafkaConnection(task.bootstrap))) as publisher:
        due = time.monotonic()
        for event in _procedure_room(task.procedures):
            time.sleep(max(0.0, due - time.monotonic()))
            if task.end.exists():
                break
            # A publisher that was held up does not hurry after what it missed.
            due = max(due + 1 / task.per_s, time.monotonic() - 0.5)
            _publish(publisher, journal, event)
        # What close() would report else lies in the outbox until there is a next life.
        publisher.report_gaps()
        # Also for what earlier lives accepted, which is not this publisher's own.
        deadline = time.monotonic() + DRAIN_S
        while publisher.status().waiting:
            if time.monotonic() > deadline:
                raise SystemExit(1)
            time.sleep(0.05)


def _publish(publisher: Publisher, journal: JournalWriter, event: Event) -> None:
    began_us = journal.attempted(event)
    try:
        event_id = publisher.publish(event)
    except OutboxError as error:
        journal.refused(event, began_us, error)
    else:
        (journal.shed if event_id is None else journal.returned)(event, began_us)


def _procedure_room(procedures: tuple[UUID, ...]) -> Iterator[Event]:
    for cycle_no in count(1):
        for procedure_id in procedures:
            for _ in range(_CLINICAL_PER_CHUNK):
                yield freeze(procedure_id, 1 + cycle_no % 3)
            yield chunk(procedure_id, CHUNK_SAMPLES)
