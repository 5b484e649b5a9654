"""The errors of publishing.

CryotrailError
├── EventRefused (schemas)
│   └── EventTooLarge       one Kafka record cannot hold it
├── PublisherSettingsRefused
├── SigningKeyRefused       the file of a signing key is none, or others may read it
├── SealRefused             a procedure that this outbox cannot count
├── LinesUnreadable         the file of events cannot be opened
├── OutboxError             the outbox's file cannot be opened, read or written
│   ├── OutboxDamaged           it is no sound outbox any more
│   ├── OutboxReplaced          retriable; another file stands in its place
│   └── OutboxFull          retriable; as much as may wait does: the event was refused
├── KekRefused              the file of the key-encrypting key is absent, readable to others, no
│                           key, or not the one that the keys were made under
├── KeyStoreError           retriable when it is held or full; the file of the keys cannot be used
├── KafkaSettingsRefused    the connection settings contradict each other, or name an unusable file
├── KafkaUnreachable        retriable; no broker answered in time
├── KafkaAccessRefused      the cluster refused the credentials or the rights of this client
├── NativeChecksumMissing   the compiled CRC-32C cannot be loaded
├── RegistryAddressRefused  the address of the schema registry is none
├── RegistryUnavailable     retriable; the schema registry gave no answer
├── SchemaNotTaken          the schema registry refused a schema
└── TransportError          retriable; the sender starts over with a new producer
    ├── TransportUnavailable    nothing was handed over
    ├── RecordRefused           the cluster refused one record; others may go on
    └── DeliveryFailed          the producer failed, or acknowledged records were lost
"""

from __future__ import annotations

from pathlib import Path
from typing import Self
from uuid import UUID

from cryotrail_schemas.errors import CryotrailError, EventRefused, FieldProblem


class EventTooLarge(EventRefused):
    """The encoded event does not fit into one record; it was given no number."""

    def __init__(self, event_type: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            event_type,
            (FieldProblem("", f"{size_bytes} bytes encoded, at most {limit_bytes} are sent"),),
        )


class PublisherSettingsRefused(CryotrailError):
    """A publisher was asked for with settings that it cannot work with."""


class SigningKeyRefused(CryotrailError):
    """A signing key cannot be read, written or trusted to be its owner's alone."""


class SealRefused(CryotrailError):
    """A procedure cannot be sealed: nothing of it is known here, or not all of it any more."""


class LinesUnreadable(CryotrailError):
    """The file that events are to be read from cannot be opened."""


class OutboxError(CryotrailError):
    """The file of an outbox cannot be opened, read or written. What it accepted before stands."""

    outcomes: tuple[UUID | None, ...] = ()
    """Of a call with several events: what became of those before the first that was not accepted,
    as the call would have returned it. Later ones may be durable too, if they are of the other
    file: publish them again under the same ids, and they count once."""

    def __init__(self, path: Path, operation: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"cannot {operation} the outbox {path}: {reason}", hint=hint)

    def of_one_call(self) -> Self:
        """The same error for one of the calls whose commit failed: each has its own outcomes."""
        own = type(self).__new__(type(self), *self.args)
        own.__dict__.update(self.__dict__)
        return own


class OutboxFull(OutboxError):
    """As much waits as may: the event was refused, and nothing that was accepted is dropped.

    It may be published again once something was sent.
    """

    retriable = True

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            path,
            "append to",
            reason,
            hint="`cryotrail outbox status` tells why nothing is sent; the bounds are the settings"
            " OUTBOX_LIMIT_* and OUTBOX_TELEMETRY_LIMIT_*",
        )


class OutboxDamaged(OutboxError):
    """The file is no sound outbox any more. Who may write it sets it aside and salvages it."""

    def __init__(self, path: Path, operation: str, reason: str) -> None:
        super().__init__(
            path,
            operation,
            reason,
            hint="the next process that publishes or sends sets it aside and salvages its events",
        )


class OutboxReplaced(OutboxError):
    """A damaged file was set aside meanwhile, and another stands in its place: begin anew."""

    retriable = True

    def __init__(self, path: Path, operation: str, reason: str) -> None:
        super().__init__(
            path,
            operation,
            reason,
            hint="do it again: it goes to the file that took its place",
        )


class KekRefused(CryotrailError):
    """The file of the key-encrypting key is absent, readable to others, no key, or another key."""


class KeyStoreError(CryotrailError):
    """The file of the data keys cannot be opened, read or written."""

    def __init__(
        self,
        path: Path,
        operation: str,
        reason: str,
        *,
        hint: str | None = None,
        retriable: bool = False,
    ) -> None:
        super().__init__(f"cannot {operation} the key store {path}: {reason}", hint=hint)
        self.retriable = retriable


class TransportError(CryotrailError):
    """Records could not be delivered now. They stay in the outbox."""

    retriable = True


class TransportUnavailable(TransportError):
    """Nothing could be handed over: no broker answers, or the topic is not there."""


class RecordRefused(TransportError):
    """The cluster refused one record for what it is, and will until somebody changes one of them.

    Its procedure waits for it, since nothing may overtake it; the others need not.
    """

    def __init__(self, index: int, reason: str) -> None:
        """``index``: which record of those that were handed over together."""
        super().__init__(
            f"Kafka refuses a record: {reason}",
            hint="compare the topic's limits and this client's rights with what the record needs",
        )
        self.index = index


class DeliveryFailed(TransportError):
    """The producer failed for good, or a log no longer holds what it acknowledged.

    Which of the records in flight arrived is unknown, so all that are kept are sent again; the
    recorder counts an event once, by its ``event_id``.
    """


class KafkaSettingsRefused(CryotrailError):
    """The connection settings contradict each other or name a file that cannot be used."""


class KafkaUnreachable(CryotrailError):
    """No broker of the cluster answered in time. Trying again later may succeed."""

    retriable = True


class KafkaAccessRefused(CryotrailError):
    """The cluster answered, and refused the credentials or the rights of this client."""


class NativeChecksumMissing(CryotrailError):
    """The compiled CRC-32C is absent; kafka-python would silently be six to ten times slower."""


class RegistryAddressRefused(CryotrailError):
    """What is to be the address of a schema registry cannot be one."""


class RegistryUnavailable(CryotrailError):
    """The schema registry did not answer, or not so that anything could be concluded."""

    retriable = True


class SchemaNotTaken(CryotrailError):
    """The schema registry answered, and refused a schema. The message names its subject."""
