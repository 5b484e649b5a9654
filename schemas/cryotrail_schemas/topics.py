"""Names and shape of the Kafka topics.

The two of events are keyed by ``procedure_id`` as lower-case UUID text under the murmur2 partitioner, so that
a procedure stays in order on one partition. The partition count never grows: that would remap
procedures that are still running.
"""

from __future__ import annotations

from typing import Final

PROCEDURE_EVENTS: Final = "cryotrail.procedure-events"
"""Discrete events: everything but samples."""

PROBE_TELEMETRY: Final = "cryotrail.probe-telemetry"
"""Chunks of samples, about two hundred samples for each discrete event."""

EVENT_TOPICS: Final = (PROCEDURE_EVENTS, PROBE_TELEMETRY)
"""All topics that events travel by."""

PARTITION_COUNT: Final = 12
MAX_MESSAGE_BYTES: Final = 262_144

DEAD_LETTERS: Final = "cryotrail.dead-letters"
"""Copies of what is in quarantine, for those who want to be told through Kafka.

One partition, so that it has the order of the log and its last record says how far it is.
"""

MAX_DEAD_LETTER_BYTES: Final = 2 * MAX_MESSAGE_BYTES
"""Room for the largest record with what is said of it, also where it is stored encrypted."""

_TELEMETRY_TYPES: Final = frozenset({"ProbeTelemetryChunk"})


def topic_of(type_name: str) -> str:
    """The topic that events of this type are published to."""
    return PROBE_TELEMETRY if type_name in _TELEMETRY_TYPES else PROCEDURE_EVENTS
