"""The recorder: Kafka's records into the audit store, each exactly once.

Rows, quarantined bytes and positions are one transaction of the store, and positions are read
from nowhere else, so a process may be killed at any moment: what was not committed is read again.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from uuid import uuid4

from cryotrail_audit.errors import BatchRefused, Fenced
from cryotrail_audit.records import AppendOutcome, IncomingBatch, IncomingRecord, PartitionProgress
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.assignment import OwnedPartition, take_over
from cryotrail_consumers.coordinates import TopicPartition, record_hash
from cryotrail_consumers.decoding import RecordDecoder
from cryotrail_consumers.errors import LogDamaged, SourceError, SourceInterrupted, TakenOver
from cryotrail_consumers.sealing import with_sealed_quarantine
from cryotrail_consumers.source import RecordSource, SourceRecord
from cryotrail_consumers.tally import Tally
from cryotrail_consumers.unstorable import with_unstorable_quarantined
from cryotrail_producers.back_off import BackOff
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.errors import CryotrailError

_log = logging.getLogger(__name__)

_POLL_S = 0.5
"""How long to wait for records, hence also how late a stop may be noticed."""

_SHORTEST_WAIT_S = 0.1
_LONGEST_WAIT_S = 30.0


class Recorder:
    """Reads a source and appends to a store until it is stopped or has caught up.

    What concerns one record ends in quarantine and the recorder goes on. What concerns the
    surroundings (a database, broker or registry that is away, a full disk) is waited for, with
    growing pauses and for as long as it takes, and nothing is quarantined for it. After any such
    pause the positions are read from the store again, since a commit whose answer was lost may
    have succeeded.
    """

    def __init__(
        self,
        store: AuditStore,
        open_source: Callable[[], RecordSource],
        decoder: RecordDecoder,
        records: RecordCipher | None = None,
    ) -> None:
        """``records`` seals what goes into quarantine; None = it is stored as Kafka holds it."""
        self.tally = Tally()
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        """Who this recorder is in the store's claims."""
        self._store = store
        self._open_source = open_source
        self._decoder = decoder
        self._records = records
        self._on_batch: Callable[[Tally], None] = _nothing
        self._back_off = BackOff(_SHORTEST_WAIT_S, _LONGEST_WAIT_S)
        self._suspect_damage = False
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask :meth:`run` to return after the transaction in hand. Safe in a signal handler."""
        self._stopping.set()

    def run(
        self, *, until_caught_up: bool = False, on_batch: Callable[[Tally], None] | None = None
    ) -> Tally:
        """Record until :meth:`stop`, or until what Kafka held at the beginning is recorded.

        That is what it held in the partitions that were taken over: a member of a group that is
        given none, or a recorder whose partitions are all held up, has caught up at once.

        :param on_batch: called after each transaction with all that was done so far.
        :raises CryotrailError: what cannot be waited for; also when the source cannot be opened
            at all, since a wrong address does not mend itself.
        :raises TakenOver: another recorder claimed the partitions.
        """
        self._on_batch = on_batch or _nothing
        opened = False
        while not self._stopping.is_set():
            try:
                with closing(self._open_source()) as source:
                    opened = True
                    self._follow(source, until_caught_up)
                    break
            except CryotrailError as error:
                if not (opened and error.retriable):
                    raise
                self._suspect_damage = isinstance(error, LogDamaged)
                self._stopping.wait(self._wait_s(error))
        return self.tally

    def _follow(self, source: RecordSource, until_caught_up: bool) -> None:
        """Record from one source until it fails, is to stop, or has nothing left to give."""
        generation = 0
        owned: Mapping[TopicPartition, OwnedPartition] = {}
        ends: Mapping[TopicPartition, int] = {}
        while not self._stopping.is_set():
            try:
                assignment = source.assignment()
                if assignment.generation != generation:
                    owned = self._take_over(source, assignment.partitions)
                    generation = assignment.generation
                    ends = {one: end for one, end in source.ends().items() if one in owned}
                    self.tally.backlog = sum(
                        end - owned[partition].next_offset for partition, end in ends.items()
                    )
                if until_caught_up and generation and source.has_reached(ends):
                    return
                # Not kept in a name, which would hold it in memory while the next is fetched.
                self._record(source, owned, source.poll(_POLL_S))
                self._back_off.reset()
            except Fenced as fenced:
                if not source.is_shared:
                    raise TakenOver(
                        f"another recorder took the partitions over: {fenced}",
                        hint="run one recorder only, or several with a PostgreSQL store",
                    ) from fenced
                # Its owner is another member by now: join the group anew and be told our share.
                raise SourceInterrupted(f"dropping all partitions: {fenced}") from fenced
            except SourceError:
                raise
            except CryotrailError as error:
                if not error.retriable:
                    raise
                self._wait(source, error)
                generation = 0

    def _take_over(
        self, source: RecordSource, partitions: frozenset[TopicPartition]
    ) -> Mapping[TopicPartition, OwnedPartition]:
        taken = take_over(
            self._store,
            source,
            partitions,
            self.owner,
            self._records,
            suspect_damage=self._suspect_damage,
        )
        self.tally.alarms += taken.alarm_count
        self.tally.held_up = len(taken.held_up)
        source.start({partition: one.next_offset for partition, one in taken.owned.items()})
        return taken.owned

    def _record(
        self,
        source: RecordSource,
        owned: Mapping[TopicPartition, OwnedPartition],
        polled: Mapping[TopicPartition, Sequence[SourceRecord]],
    ) -> None:
        """Append what was polled, in one transaction."""
        incoming: list[tuple[int, IncomingRecord]] = []
        progress: dict[TopicPartition, PartitionProgress] = {}
        for partition, records in polled.items():
            taken = owned.get(partition)
            if taken is None:
                continue
            decoded = self._decoder.decode(records, taken.lineage, taken.partition_count)
            decoded = with_sealed_quarantine(decoded, self._records)
            incoming += decoded
            # Of the bytes as they are stored: a hash of sealed ones in clear would outlive their key.
            last = decoded[-1][1]
            progress[partition] = taken.progress(
                records[0].offset,
                records[-1].offset + 1,
                len(records),
                record_hash(last.kafka_key, last.raw),
            )
        if not progress:
            return
        batch = IncomingBatch(incoming, list(progress.values()), (), self.owner)
        self.tally.add(self._append(batch, owned))
        self._on_batch(self.tally)
        source.commit({partition: one.next_offset for partition, one in progress.items()})

    def _append(
        self, batch: IncomingBatch, owned: Mapping[TopicPartition, OwnedPartition]
    ) -> AppendOutcome:
        try:
            return self._store.append(batch)
        except BatchRefused as refused:
            storable = with_unstorable_quarantined(batch, [one.lineage for one in owned.values()])
            if storable == batch:
                raise
            _log.error("quarantining what the store refuses: %s", refused)
            sealed = with_sealed_quarantine(storable.records, self._records)
            # What was set aside is sealed only now: the positions' hashes follow the stored bytes.
            last = {
                (one.topic_id, one.part): record_hash(one.kafka_key, one.raw) for _, one in sealed
            }
            partitions = [
                one._replace(last_record_hash=last[one.topic_id, one.part])
                for one in storable.partitions
            ]
            return self._store.append(storable._replace(records=sealed, partitions=partitions))

    def _wait(self, source: RecordSource, error: CryotrailError) -> None:
        """Pause; the source is polled meanwhile, so that its group does not give us up."""
        source.hold()
        until = time.monotonic() + self._wait_s(error)
        while not self._stopping.is_set() and (left_s := until - time.monotonic()) > 0:
            source.poll(min(left_s, 1.0))

    def _wait_s(self, error: CryotrailError) -> float:
        wait_s = self._back_off.next_s()
        _log.warning("trying again in %.1f s: %s", wait_s, error)
        return wait_s


def _nothing(tally: Tally) -> None:
    """Nobody wants to be told."""
