"""Confluent framing on the way to Kafka, for readers that find schemas in a registry."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from cryotrail_producers.errors import RegistryUnavailable, SchemaNotTaken
from cryotrail_producers.log_state import LogState
from cryotrail_producers.schema_registry import SchemaRegistry
from cryotrail_producers.transport import OutgoingRecord, Placement, Transport
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.framing import frame_confluent, parse_frame

_log = logging.getLogger(__name__)


class RegistryFraming:
    """A transport that puts the registry's schema id before each body and hands on to another.

    An outbox keeps its events in single-object framing, which needs no registry, so accepting an
    event never waits for one. Ids are asked for here, by the sender, once a schema, and a schema
    that the registry does not have is registered. While an id cannot be had the event goes out in
    single-object framing, which every reader of cryotrail understands: it arrives, and the
    registry is asked again after a while. The body is the same in either framing, so an event
    that is sent again in the other counts once.
    """

    def __init__(
        self, transport: Transport, registry: SchemaRegistry, *, ask_again_s: float = 30.0
    ) -> None:
        """``ask_again_s``: how long a registry that gave no id is left alone."""
        self._transport = transport
        self._registry = registry
        self._ask_again_s = ask_again_s
        self._ids: dict[bytes, int] = {}
        self._not_taken_until: dict[bytes, float] = {}
        self._away_until = 0.0

    def send(self, records: Sequence[OutgoingRecord]) -> Future[list[Placement]]:
        """As :meth:`Transport.send`; may take five seconds more when the registry hangs."""
        return self._transport.send([self._reframed(record) for record in records])

    def log_state(self, topic: str, offsets: Mapping[int, int]) -> LogState:
        """As :meth:`Transport.log_state`."""
        return self._transport.log_state(topic, offsets)

    def reset(self) -> None:
        """As :meth:`Transport.reset`; the ids are kept."""
        self._transport.reset()

    def _reframed(self, record: OutgoingRecord) -> OutgoingRecord:
        frame = parse_frame(record.value)
        if frame.fingerprint is None:
            return record
        schema_id = self._schema_id(frame.fingerprint)
        if schema_id is None:
            return record
        return record._replace(value=frame_confluent(schema_id, frame.body))

    def _schema_id(self, fingerprint: bytes) -> int | None:
        known = self._ids.get(fingerprint)
        if known is not None:
            return known
        now = time.monotonic()
        if now < max(self._away_until, self._not_taken_until.get(fingerprint, 0.0)):
            return None
        event_type = catalog().by_fingerprint(fingerprint)
        if event_type is None:  # accepted by a newer installation that shares the outbox
            return None
        try:
            schema_id = self._registry.register(event_type)
        except RegistryUnavailable as error:
            # As of its answer, since what took until the timeout would else be asked at once again.
            self._away_until = time.monotonic() + self._ask_again_s
            _log.warning("%s; events are sent in single-object framing meanwhile", error)
            return None
        except SchemaNotTaken as error:
            self._not_taken_until[fingerprint] = now + self._ask_again_s
            _log.warning("%s; its events are sent in single-object framing", error)
            return None
        self._ids[fingerprint] = schema_id
        return schema_id
