"""Publishing from a command: events into the outbox of this home, then a bounded wait for Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryotrail.configured_registry import configured_registry
from cryotrail.console import progress
from cryotrail.embedded.connection import kafka_connection
from cryotrail.outbox_budgets import clinical_budget, sheddable_channels, telemetry_budget
from cryotrail.settings import Settings
from cryotrail_producers.errors import OutboxError
from cryotrail_producers.feed import feed
from cryotrail_producers.published_form import AsPublished
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.registry_framing import RegistryFraming
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import KafkaTransport, Transport
from cryotrail_schemas.events import Event

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class PublishOutcome:
    """What became of the events of one call."""

    accepted: int
    """Durable in the outbox."""
    acknowledged: int
    """Of those, acknowledged by Kafka before the wait was over."""
    waiting: int
    """Everything that still waits in this outbox, whoever put it there."""
    problem: str | None = None
    """Why events wait, as far as this process knows; None when nothing waits."""
    shed: int = 0
    """Telemetry chunks that may be shed and found no room."""
    failure: OutboxError | None = None
    """Why the outbox took no more, before the last event; those not counted were not published."""

    def sentence(self) -> str:
        """The outcome for a person, e.g. ``4 events accepted, 4 acknowledged by Kafka``."""
        text = f"{_events(self.accepted)} accepted, {self.acknowledged} acknowledged by Kafka"
        if self.shed:
            text += f"; {self.shed} telemetry chunks shed for want of room, their loss is reported"
        if self.waiting:
            text += f"; {self.waiting} still wait in the outbox ({self.problem})"
        return text


def publish_events(
    events: Iterable[Event] | Callable[[AsPublished], Iterable[Event]],
    settings: Settings,
    wait_s: float = 30.0,
    label: str = "events",
    total: int | None = None,
    *,
    source: str | None = None,
) -> PublishOutcome:
    """Put events into the outbox of ``settings`` and wait for their acknowledgement.

    ``events``, or what makes them, for a stream with seals of its own: it is told what becomes of
    an event on its way out (:meth:`Publisher.as_published`). They may be slow (a pipe, a simulation
    at real speed): what it has yielded is committed while it is waited for. ``total`` is the expected count, for the progress bar alone. ``source``
    replaces the ``SOURCE`` setting, for replays. After the last event the call waits up to
    ``wait_s`` seconds for Kafka, through whichever process sends from this outbox; what is not
    acknowledged by then stays in the outbox and is sent later.

    :raises EmbeddedKafkaNotRunning: no cluster is named and none runs for this home; nothing was
        accepted.
    :raises EventRefused: an event was refused; those before it are durable, none after it is.
    :raises OutboxFull: as much waits as may; what was accepted stays.
    :raises OutboxError: the outbox cannot be opened or written.
    """
    with open_publisher(settings, source=source) as publisher:
        made = events(publisher.as_published) if callable(events) else events
        outcome = publish_through(publisher, made, wait_s, label, total)
    if outcome.failure is not None:
        raise outcome.failure
    return outcome


def publish_through(
    publisher: Publisher,
    events: Iterable[Event],
    wait_s: float = 30.0,
    label: str = "events",
    total: int | None = None,
) -> PublishOutcome:
    """The same through a publisher that is open and has published nothing yet.

    That the outbox took no more is not raised but the outcome's ``failure``, since what it did
    take is to be told too.
    """
    with progress(f"{label} → outbox", total) as advance:
        fed = feed(publisher, events, advance)
    accepted = fed.accepted
    if fed.shed:
        publisher.report_gaps()
    deadline = time.monotonic() + wait_s
    with progress(f"{label} → Kafka", accepted) as advance:
        left = shown = accepted
        while left and (left_s := deadline - time.monotonic()) > 0:
            publisher.wait(min(_POLL_S, left_s))
            left = publisher.unacknowledged()
            advance(shown - left)
            shown = left
    waiting = publisher.status().waiting
    return PublishOutcome(
        accepted,
        accepted - left,
        waiting,
        why_waiting(publisher) if waiting else None,
        fed.shed,
        fed.failure,
    )


def open_publisher(
    settings: Settings, *, source: str | None = None, traceparent: str | None = None
) -> Publisher:
    """The publisher of this home, ready for ``with``; in Confluent framing with a registry.

    :param traceparent: W3C Trace Context of the span that publishes everything through it.
    :raises EmbeddedKafkaNotRunning: no cluster is named and none runs for this home.
    :raises RegistryAddressRefused: the address of the schema registry is none.
    :raises OutboxError: the outbox cannot be opened.
    :raises SigningKeyRefused: the file of the signing key cannot be used.
    :raises KekRefused, KeyStoreError: personal text is to be encrypted and cannot be.
    """
    transport: Transport = KafkaTransport(kafka_connection(settings))
    registry = configured_registry(settings)
    if registry is not None:
        transport = RegistryFraming(transport, registry)
    return Publisher(
        PublisherSettings(
            outbox_path=settings.outbox_path,
            outbox_telemetry_path=settings.outbox_telemetry_path,
            source=source or settings.source,
            traceparent=traceparent,
            clinical_budget=clinical_budget(settings),
            telemetry_budget=telemetry_budget(settings),
            sheddable_channels=sheddable_channels(settings),
            grace_s=settings.outbox_grace_s,
            signing_key_file=settings.signing_key_file,
            personal_kek_file=settings.personal_kek_file,
            keys_path=settings.keys_path,
        ),
        transport,
    )


def _events(count: int) -> str:
    return f"{count} event" if count == 1 else f"{count} events"


def why_waiting(publisher: Publisher) -> str:
    """Why events still wait in the outbox, in words."""
    if problem := publisher.problem():
        return problem
    if publisher.sender_tally().another_sends:
        return "another process sends from this outbox"
    return "Kafka has not acknowledged them yet"
