"""The publisher: an event is durable when :meth:`Publisher.publish` returns, and sent later."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Self
from uuid import UUID

from cryotrail_producers.encoding import SOURCE_LIMIT_BYTES, outbox_entry
from cryotrail_producers.errors import OutboxError, PublisherSettingsRefused
from cryotrail_producers.outbox.care import OutboxCare
from cryotrail_producers.outbox.lights import OnStatus
from cryotrail_producers.outbox.pair import OutboxPair
from cryotrail_producers.outbox.status import OutboxStatus
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry
from cryotrail_producers.protection import personal_cipher_of, signer_of
from cryotrail_producers.seal import SealHeader, make_seal
from cryotrail_producers.sending.sender import Sender
from cryotrail_producers.sending.tally import SenderTally
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import Transport
from cryotrail_schemas.errors import CryotrailError, EventRefused
from cryotrail_schemas.events import Event
from cryotrail_schemas.plausibility import warnings
from cryotrail_schemas.signing import Signer
from cryotrail_schemas.trace_context import is_traceparent

_log = logging.getLogger(__name__)

_WAIT_POLL_S = 0.02


class Publisher:
    """Accepts events into the outbox of this host and sends them in the background.

    Publishing never waits for a network: it validates, encodes, gives the delivery numbers and
    commits, synced, to a local file. Any number of processes and threads may publish into one
    outbox; one process sends, and another takes over when it ends.

    With ``signing_key_file`` seals, corrections and what follows a seal are signed.

    With ``personal_kek_file`` personal text is encrypted before it reaches the outbox: neither the
    outbox nor Kafka nor the audit store ever holds it in clear.

    Use it in ``with``, or call :meth:`close`; one publisher a process, made after any fork.
    """

    def __init__(
        self,
        settings: PublisherSettings,
        transport: Transport,
        *,
        signer: Signer | None = None,
        on_status: OnStatus | None = None,
    ) -> None:
        """Open the outbox, making it when missing, and begin to send what waits in it.

        :param signer: takes the place of the key in ``settings.signing_key_file``, as for a key
            in an HSM.
        :param on_status: called with the status of the outbox when it has changed, from a thread
            of the publisher, at most every ``status_interval_s``. What it raises is logged.
        :raises SigningKeyRefused: the file of the signing key cannot be used.
        :raises OutboxError: a file of the outbox cannot be opened.
        :raises KekRefused, KeyStoreError: personal text is to be encrypted and cannot be.
        :raises PublisherSettingsRefused: a source that is empty or too long, or a traceparent that
            is none.
        """
        if not 0 < len(settings.source.encode()) <= SOURCE_LIMIT_BYTES:
            raise PublisherSettingsRefused(
                f"the source {settings.source[:80]!r} must have 1 to {SOURCE_LIMIT_BYTES} bytes",
                hint="a URI such as urn:cryotrail:ct-room-2",
            )
        if settings.traceparent is not None and not is_traceparent(settings.traceparent):
            raise PublisherSettingsRefused(
                f"{settings.traceparent[:80]!r} is no W3C traceparent of version 00",
                hint="such as 00-<32 hex>-<16 hex>-01, of the span that publishes",
            )
        self._settings = settings
        self._personal = personal_cipher_of(settings)
        try:
            self._outboxes = OutboxPair(settings, self._encoded, signer or signer_of(settings))
        except CryotrailError:
            if self._personal is not None:
                self._personal.close()
            raise
        self._sender = Sender(self._outboxes, transport, settings.sender, settings.grace_s)
        care = OutboxCare(self._outboxes, settings, self.sending_problem, on_status)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=care.run, args=(self._stop,), name="outbox-care", daemon=True),
            threading.Thread(
                target=self._sender.run, args=(self._stop,), name="outbox-sender", daemon=True
            ),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, event: Event, traceparent: str | None = None) -> UUID | None:
        """Accept one event; returns its ``event_id`` once it is durable.

        None stands for a telemetry chunk of ``sheddable_channels`` for which there was no room: it
        was shed, and its loss is noted and will be reported.

        A telemetry chunk survives the death of the process at once, and a power cut within
        ``telemetry_sync_s``; every other event survives both. Implausible values are logged as
        warnings, never refused.

        :param traceparent: W3C Trace Context of the publishing span, sent as the header of that name.
        :raises EventRefused: the event breaks the contract; it was not accepted.
        :raises OutboxFull: as much waits as may; it was not accepted. A reserve is kept for the
            events that end and seal a procedure.
        :raises OutboxError: the outbox cannot be written; it was not accepted.
        """
        (outcome,) = self._append([self._entry(event, traceparent)])
        return outcome

    def publish_many(
        self, events: Iterable[Event], traceparent: str | None = None
    ) -> list[UUID | None]:
        """Accept events in order, committed in groups; returns for each what :meth:`publish` would,
        once all are durable.

        :param traceparent: of the span that publishes all of them.
        :raises EventRefused: the events before the refused one are durable, none after it is.
        :raises OutboxFull, OutboxError: its ``outcomes`` tell which events are durable.
        """
        outcomes: list[UUID | None] = []
        remaining = iter(events)
        while group := list(islice(remaining, self._settings.group_events)):
            entries: list[OutboxEntry] = []
            try:
                for event in group:
                    entries.append(self._entry(event, traceparent))
            finally:
                try:
                    outcomes += self._append(entries)
                except OutboxError as error:
                    error.outcomes = (*outcomes, *error.outcomes)
                    raise
        return outcomes

    def seal(self, procedure_id: UUID, header: SealHeader | None = None) -> UUID:
        """State that nothing more of a procedure's day comes from this outbox; returns the seal's id.

        The seal counts and hashes every event that this outbox ever accepted for the procedure,
        telemetry included, acknowledged or not. It is durable like any event. Sealing again returns
        the same id. What was shed of the procedure is reported first. Events may follow, such as
        corrections and after-care: they are signed, if this publisher signs, and numbered under a
        producer id that the seal does not name.

        :raises SealRefused: this outbox has no events of the procedure, or a version of cryotrail
            before seals has forgotten some.
        :raises EventRefused: ``header`` holds a value that no event can, such as a naive time.
        :raises OutboxError: the outbox cannot be written; whether it was sealed the next call finds.
        """
        said = header or SealHeader()
        seal_id = self._outboxes.seal(
            procedure_id,
            lambda events, chunks: self._encoded(make_seal(procedure_id, said, events, chunks)),
        )
        self._sender.wake()
        return seal_id

    def report_gaps(self) -> None:
        """Report everything that was shed and is not reported yet, as :meth:`close` does.

        :raises OutboxError: the outbox cannot be written; it is reported later.
        """
        self._outboxes.report_gaps()
        self._sender.wake()

    def count_refused(self, count: int) -> None:
        """Count events that were refused before they became events, such as lines of a file.

        :raises OutboxError: the outbox cannot be written.
        """
        self._outboxes.count_refused(count)

    def wait(self, timeout_s: float) -> OutboxStatus:
        """Wait until everything that this publisher accepted is acknowledged by Kafka.

        Returns when it is or when the time has passed, whoever sends. The status tells what still
        waits in the outbox, also of others; :meth:`unacknowledged` what waits of one's own.

        :raises OutboxError: the outbox cannot be read.
        """
        deadline = time.monotonic() + timeout_s
        self._outboxes.sync()
        self._sender.wake()
        while self.unacknowledged() and (left_s := deadline - time.monotonic()) > 0:
            time.sleep(min(_WAIT_POLL_S, left_s))
        return self.status()

    def unacknowledged(self) -> int:
        """How many events that this publisher accepted wait for Kafka.

        While other processes append too, some of theirs may be counted among them.

        :raises OutboxError: the outbox cannot be read.
        """
        return self._outboxes.unacknowledged()

    def status(self) -> OutboxStatus:
        """What the outbox holds, whoever put it there.

        :raises OutboxError: the outbox cannot be read.
        """
        return self._outboxes.status()

    def problem(self) -> str | None:
        """Why this process cannot send, or which event Kafka refuses, whoever sends; None = neither.

        :raises OutboxError: the outbox cannot be read.
        """
        return self.sending_problem() or self.status().problem

    def statuses(self) -> dict[str, OutboxStatus]:
        """What each file of the outbox holds, by name: ``clinical`` and ``telemetry``.

        :raises OutboxError: a file cannot be read.
        """
        return self._outboxes.statuses()

    def sending_problem(self) -> str | None:
        """Why this process cannot send just now; None also while another process sends."""
        return self._sender.problem

    def sender_tally(self) -> SenderTally:
        """What this process has sent, who sends, and whether its sender turns; from any thread."""
        return self._sender.tally

    def close(self) -> None:
        """Stop sending and close the outbox cleanly. What waits is sent by the next publisher.

        :raises OutboxError: the end cannot be marked; events are safe, and the next publisher
            numbers under a new producer id.
        """
        if self._stop.is_set():
            return
        self._stop.set()
        self._sender.interrupt()
        for thread in self._threads:
            thread.join(self._settings.close_timeout_s)
        self._outboxes.close()
        if self._personal is not None:
            self._personal.close()

    def check(self, event: Event) -> None:
        """Refuse what :meth:`publish` would refuse; nothing is accepted.

        :raises EventRefused: the event breaks the contract.
        """
        self._encoded(event)

    def as_published(self, event: Event) -> Event:
        """The event as :meth:`publish` sends it: its personal text encrypted, where that is on.

        Who makes a seal of its own, and not by :meth:`seal`, hashes these and publishes these.
        What comes back is published as it is.

        :raises EventRefused: the event breaks the contract.
        :raises CryotrailError: personal text is to be encrypted, and the keys cannot be used.
        """
        return event if self._personal is None else self._personal.encrypt(event)

    def _encoded(self, event: Event, traceparent: str | None = None) -> OutboxEntry:
        return outbox_entry(
            self.as_published(event),
            self._settings.source,
            traceparent or self._settings.traceparent,
            self._settings.sheddable_channels,
        )

    def _entry(self, event: Event, traceparent: str | None = None) -> OutboxEntry:
        try:
            entry = self._encoded(event, traceparent)
        except EventRefused:
            with suppress(OutboxError):  # why it was refused is to be told, counted or not
                self._outboxes.count_refused(1)
            raise
        for problem in warnings(event):
            _log.warning("%s %s: %s", event.TYPE, entry.event_id, problem)
        return entry

    def _append(self, entries: list[OutboxEntry]) -> list[UUID | None]:
        try:
            return self._outboxes.append(entries)
        finally:
            self._sender.wake()
