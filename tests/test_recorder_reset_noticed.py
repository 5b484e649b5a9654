"""A recorder that always has something to append still notices a reset of a quiet partition."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing

from log_in_memory import CLUSTER, LogInMemory, LogReaderInMemory, SourceInMemory
from many_messages import many_messages
from recorded_kafka import running
from waiting import until

from cryotrail_audit.store import open_store
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_consumers.decoding.stored_record import StoredRecord
from cryotrail_consumers.operating.position_reset import Target, apply_resets, plan_resets
from cryotrail_consumers.recording.recorder import Recorder

QUIET = list(many_messages(5))


class BusySource(SourceInMemory):
    """No poll of it is empty: its first partition always has a further record."""

    def __init__(self, log: LogInMemory) -> None:
        super().__init__(log, batch_records=10)
        self._growing = log

    def poll(self, timeout_s: float) -> Mapping[TopicPartition, Sequence[StoredRecord]]:
        time.sleep(0.02)
        self._growing.add(self._growing.partitions[0], None, b"?")
        return super().poll(timeout_s)


def test_a_reset_of_a_quiet_partition_is_noticed_beside_a_busy_one(sqlite_url: str) -> None:
    log = LogInMemory(2)
    quiet = log.partitions[1]
    for message in QUIET:
        log.add(quiet, message.key, message.value)
    with closing(open_store(sqlite_url)) as store, closing(open_store(sqlite_url)) as operators:
        source = BusySource(log)
        one = Recorder(store, lambda: source, RecordDecoder(KnownSchemas(store)))
        with running(one):
            until(lambda: one.tally.recorded == len(QUIET))
            planned = plan_resets(
                operators, LogReaderInMemory(log), CLUSTER, log.topics, [quiet], Target()
            )
            apply_resets(operators, CLUSTER, log.topics, planned, "because", "nobody")

            until(lambda: one.tally.known == len(QUIET))

    assert (one.tally.recorded, one.tally.redelivered) == (len(QUIET), 0)
