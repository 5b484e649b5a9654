"""The recorder: Kafka's records into the audit store, each exactly once.

Rows, quarantined bytes and positions are one transaction of the store, and positions are read
from nowhere else, so a process may be killed at any moment: what was not committed is read again.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from uuid import uuid4

from cryotrail_audit.errors import Fenced, PositionMoved
from cryotrail_audit.records import IncomingBatch
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.errors import LogDamaged, SourceError, SourceInterrupted, TakenOver
from cryotrail_consumers.reading.source import RecordSource, SourceRecord
from cryotrail_consumers.recording.assignment import OwnedPartition, take_over
from cryotrail_consumers.recording.batch_assembly import BatchAssembly
from cryotrail_consumers.recording.gathering import Gathering
from cryotrail_consumers.recording.observer import RecorderObserver, Unobserved
from cryotrail_consumers.recording.partition_watch import PartitionWatch
from cryotrail_consumers.recording.patience import Patience
from cryotrail_consumers.recording.quarantine_log import QuarantineLog
from cryotrail_consumers.recording.schema_guard import SchemaGuard
from cryotrail_consumers.recording.settings import RecorderSettings
from cryotrail_consumers.recording.tally import Tally
from cryotrail_consumers.recording.unstorable import append_storable
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.errors import CryotrailError

_log = logging.getLogger(__name__)

_POLL_S = 0.5
"""How long to wait for records, hence also how late a stop may be noticed."""

_NOTICED_AFTER_S = 0.1
"""How late a stop is noticed while the source is closed."""

_CHECK_CLAIMS_EVERY_S = 2.0
"""How late a reset is noticed of a partition in which nothing arrives."""


class Recorder:
    """Reads a source and appends to a store until it is stopped or has caught up.

    What concerns one record ends in quarantine and the recorder goes on. What concerns the
    surroundings (a database, broker or registry that is away, a full disk) is waited for, with
    growing pauses and for as long as it takes, and nothing is quarantined for it. Many records whose
    schema is not known hold their partition up, and no other. After any such pause the positions
    are read from the store again, since a commit whose answer was lost may have succeeded.
    """

    def __init__(
        self,
        store: AuditStore,
        open_source: Callable[[], RecordSource],
        decoder: RecordDecoder,
        records: RecordCipher | None = None,
        observer: RecorderObserver | None = None,
        settings: RecorderSettings | None = None,
    ) -> None:
        """``records`` seals what goes into quarantine; None = it is stored as Kafka holds it."""
        given = settings or RecorderSettings()
        self.tally = Tally()
        self._guard = SchemaGuard(given.breaker, quarantine=given.quarantine_unknown)
        self._watch = PartitionWatch(self.tally, given.stuck_after_s)
        self._assembly = BatchAssembly(store, decoder, self._guard, records)
        self._observer = observer or Unobserved()
        self._quarantine_log = QuarantineLog()
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        """Who this recorder is in the store's claims."""
        self._store = store
        self._open_source = open_source
        self._decoder = decoder
        self._records = records
        self._on_batch: Callable[[Tally], None] | None = None
        self._patience = Patience()
        self._gathering = Gathering()
        self._suspect_damage = False
        self._is_append_due = False
        self._claims_checked = 0.0
        # A flag and no event, whose lock a signal handler could find taken by its own thread.
        self._is_stopping = False

    def stop(self) -> None:
        """Ask :meth:`run` to return after the transaction in hand. Safe in a signal handler."""
        self._is_stopping = True

    def run(
        self,
        *,
        until_caught_up: bool = False,
        give_up_after_s: float | None = None,
        on_batch: Callable[[Tally], None] | None = None,
    ) -> Tally:
        """Record until :meth:`stop`, or until what Kafka held at the beginning is recorded.

        That is what it held in the partitions that were taken over: a member of a group that is
        given none, or a recorder whose partitions are all held up, has caught up at once.

        :param give_up_after_s: how long to wait for what is away, from the first failure on and
            until something succeeds; None = for as long as it takes.
        :param on_batch: called after each transaction with all that was done so far.
        :raises CryotrailError: what cannot be waited for; also when the source cannot be opened
            at all, since a wrong address does not mend itself.
        :raises GivenUp: what is away was waited for in vain.
        :raises TakenOver: another recorder claimed the partitions.
        """
        self._on_batch = on_batch
        self._patience = Patience(give_up_after_s)
        opened = False
        while not self._is_stopping:
            try:
                with closing(self._open_source()) as source:
                    opened = True
                    self._follow(source, until_caught_up)
                    break
            except CryotrailError as error:
                if not (opened and error.retriable):
                    raise
                self._suspect_damage = isinstance(error, LogDamaged)
                self.tally.partitions = None
                self._pause(self._wait_s(error))
        return self.tally

    def _pause(self, wait_s: float) -> None:
        """Wait, and let whoever watches see that this is no standstill."""
        until = time.monotonic() + wait_s
        while not self._is_stopping and (left_s := until - time.monotonic()) > 0:
            self._observer.looped(self.tally)
            time.sleep(min(left_s, _NOTICED_AFTER_S))

    def _follow(self, source: RecordSource, until_caught_up: bool) -> None:
        """Record from one source until it fails, is to stop, or has nothing left to give."""
        generation = 0
        owned: Mapping[TopicPartition, OwnedPartition] = {}
        ends: Mapping[TopicPartition, int] = {}
        while not self._is_stopping:
            try:
                assignment = source.assignment()
                if assignment.generation != generation:
                    owned = self._take_over(source, assignment.partitions)
                    generation = assignment.generation
                    ends = {one: end for one, end in source.ends().items() if one in owned}
                    self.tally.backlog = sum(
                        end - owned[partition].next_offset for partition, end in ends.items()
                    )
                if until_caught_up and generation:
                    waited_for = {p: end for p, end in ends.items() if p not in self.tally.breakers}
                    if source.has_reached(waited_for):
                        return
                self._try_again(source, owned)
                self._gathering.wait()
                # Not kept in a name, which would hold it in memory while the next is fetched.
                self._record(source, owned, source.poll(_POLL_S))
                self._look_for_resets(source, owned)
                self._watch.look(source, owned, time.monotonic())
                self._succeeded()
                self._observer.looped(self.tally)
            except Fenced as fenced:
                self.tally.fenced += 1
                if not source.is_shared:
                    raise TakenOver(
                        f"another recorder took the partitions over: {fenced}",
                        hint="run one recorder only, or several with a PostgreSQL store",
                    ) from fenced
                # Its owner is another member by now: join the group anew and be told our share,
                # unless it has our name, and we would displace each other for ever.
                source.confirm_membership()
                raise SourceInterrupted(f"dropping all partitions: {fenced}") from fenced
            except SourceError:
                raise
            except CryotrailError as error:
                if not error.retriable:
                    raise
                if isinstance(error, PositionMoved):
                    self._is_append_due = False  # what was in hand is not what comes next
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
        self.tally.partitions = len(taken.owned)
        start = {partition: one.next_offset for partition, one in taken.owned.items()}
        self._guard.begin(start)
        self.tally.breakers = self._guard.states
        self._watch.begin()
        held = {one: at for one, at in start.items() if self.tally.breakers.get(one) == "open"}
        source.hold_at(held)
        source.start({one: at for one, at in start.items() if one not in held})
        return taken.owned

    def _try_again(self, source: RecordSource, owned: Collection[TopicPartition]) -> None:
        """Read on in the partitions whose circuit breaker is to be tried."""
        if self.tally.breakers and (due := self._guard.due(owned, time.monotonic())):
            self._decoder.look_again()
            source.start(due)
            self._guard.half_open(due)
            self.tally.breakers = self._guard.states

    def _record(
        self,
        source: RecordSource,
        owned: Mapping[TopicPartition, OwnedPartition],
        polled: Mapping[TopicPartition, Sequence[SourceRecord]],
    ) -> None:
        """Append what was polled, in one transaction."""
        assembled = self._assembly.of(polled, owned)
        self.tally.known += assembled.known
        self._hold(source, assembled.held_at)
        unsaid = self._guard.unsaid()
        if not (assembled.progress or unsaid):
            return
        partitions = list(assembled.progress.values())
        batch = IncomingBatch(assembled.records, partitions, unsaid, self.owner)
        self._is_append_due = True
        began_s = time.monotonic()
        lineages = (one.lineage for one in owned.values())  # looked at where a record is refused
        batch, outcome = append_storable(self._store, batch, lineages, self._records)
        elapsed_s = time.monotonic() - began_s
        self._is_append_due = False
        self._gathering.recorded(len(batch.records))
        self._guard.recorded(unsaid)
        self.tally.add(batch, outcome, time.time_ns() // 1000)
        if outcome.quarantined:
            topics = {one.lineage.topic_id: place.topic for place, one in owned.items()}
            self._quarantine_log.look_at(batch.records, topics)
        self._observer.appended(batch, outcome, elapsed_s)
        if self._on_batch is not None:
            self._on_batch(self.tally)
        source.commit({one: at.next_offset for one, at in assembled.progress.items()})

    def _hold(self, source: RecordSource, offsets: Mapping[TopicPartition, int]) -> None:
        """Read nothing more of the partitions whose circuit breaker opened."""
        if offsets:
            source.hold_at(offsets)
        self.tally.breakers = self._guard.states
        self.tally.breaker_openings = self._guard.openings

    def _look_for_resets(
        self, source: RecordSource, owned: Mapping[TopicPartition, OwnedPartition]
    ) -> None:
        """Notice that partitions are not ours; of those with records the append finds out."""
        now = time.monotonic()
        if not owned or now < self._claims_checked + _CHECK_CLAIMS_EVERY_S:
            return
        self._claims_checked = now
        # What the group gave to another meanwhile, that one has claimed: no reason to leave it.
        ours = source.assignment().partitions
        still = [(one.lineage, one.epoch) for place, one in owned.items() if place in ours]
        if still:
            epochs = {(at.topic_id, at.partition): epoch for at, epoch in still}
            self._store.check_claims(self.owner, epochs)

    def _wait(self, source: RecordSource, error: CryotrailError) -> None:
        """Pause; the source is polled meanwhile, so that its group does not give us up."""
        source.hold()
        until = time.monotonic() + self._wait_s(error)
        while not self._is_stopping and (left_s := until - time.monotonic()) > 0:
            source.poll(min(left_s, 1.0))
            self._observer.looped(self.tally)

    def _succeeded(self) -> None:
        """A turn went well; after an append that failed, only one that appended says so."""
        lag, held = self.tally.lag, self.tally.breakers
        if self._is_append_due and any(lag[one] for one in lag if one not in held):
            return
        self._is_append_due = False
        self._patience.succeeded()
        self.tally.waiting_for = None

    def _wait_s(self, error: CryotrailError) -> float:
        """How long to wait, which is said in the program's log.

        :raises GivenUp: it was waited for long enough.
        """
        wait_s = self._patience.next_s(error)
        self.tally.waiting_for = str(error)
        hint = f" ({error.hint})" if error.hint else ""
        _log.warning("trying again in %.1f s: %s%s", wait_s, error, hint)
        return wait_s
