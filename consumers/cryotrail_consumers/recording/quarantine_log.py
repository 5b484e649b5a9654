"""One line in the program's log for what goes into quarantine: where it lies, never what it says."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from cryotrail_audit.records import QUARANTINED, IncomingRecord
from cryotrail_consumers.decoding.headers import unpack_headers
from cryotrail_schemas.delivery import read_delivery

_log = logging.getLogger(__name__)

SAY_EVERY_S: Final = 60.0
"""A reason is said again after so long: a flood of garbage is one alarm a minute, not one each."""


class QuarantineLog:
    """Says the first record of each reason at once, and how many followed a minute later."""

    def __init__(self) -> None:
        self._said_s: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def look_at(
        self, records: Iterable[tuple[int, IncomingRecord]], topics: Mapping[int, str]
    ) -> None:
        """Say what of these was set aside.

        :param records: pairs of kind and record, as they were appended.
        :param topics: names of topics by their id in the store.
        """
        now = time.monotonic()
        for kind, record in records:
            if kind != QUARANTINED:
                continue
            reason = record.reason or "unknown"
            if now - self._said_s.get(reason, float("-inf")) < SAY_EVERY_S:
                self._unsaid[reason] += 1
                continue
            self._said_s[reason] = now
            self._say(reason, record, topics.get(record.topic_id or 0), self._unsaid.pop(reason, 0))

    def _say(self, reason: str, record: IncomingRecord, topic: str | None, more: int) -> None:
        since = f", after {more} more of the kind" if more else ""
        _log.warning(
            "quarantined: %s at %s[%s] offset %s%s",
            reason,
            topic,
            record.part,
            record.kafka_offset,
            since,
            extra={
                "reason": reason,
                "topic": topic,
                "partition": record.part,
                "offset": record.kafka_offset,
                "event_id": str(UUID(bytes=record.event_id)),
                "trace_id": read_delivery(unpack_headers(record.kafka_headers)).trace_id,
                "count": more + 1,
            },
        )
