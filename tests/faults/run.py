"""One run: publishers and recorders on the stage, faults while they work, and the account at the end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from faults.accounting import PoisonRecord, account
from faults.group_members import forget_members
from faults.journal import Journal, Latency, monotonic_us
from faults.kill_points import Death
from faults.outcome import Outcome
from faults.poison import Poisoner
from faults.publisher_process import DRAIN_S, PublisherTask, publish_until_told
from faults.recorder_process import RecorderTask, record_until_told
from faults.stage import Database, Stage
from faults.store_reading import log_ends, positions, read_store
from faults.supervision import Supervised

_TICK_S = 0.02
_POISON_EVERY_S = 0.5
_CATCH_UP_S = 90.0
_PROCEDURES = 3
_KILLED_AT_BIRTH = 0.25


class Run:
    """Publishers that publish, recorders that record, until :meth:`finish`."""

    def __init__(
        self,
        stage: Stage,
        database: Database,
        seed: int,
        *,
        publishers: int = 3,
        recorders: int = 1,
        per_s: float = 40.0,
        poison: bool = True,
        shared_outbox: bool = False,
        store_folder: Path | None = None,
        outbox_limit_bytes: int | None = None,
        telemetry_limit_bytes: int | None = None,
    ) -> None:
        """Make the topics and the store anew; :meth:`start` starts everybody.

        :param per_s: events a second of each publisher.
        :param shared_outbox: the publishers are processes on one outbox, of which one sends.
        :param outbox_limit_bytes: what may wait of clinical events; None = the product's default.
        :param telemetry_limit_bytes: of telemetry, all of which may be shed; None = the default.
        :param store_folder: where an SQLite store is made; None = in the run's own folder.
        """
        self.stage = stage
        self.database: Database = database
        self.chance = random.Random(seed)
        self.folder = stage.new_folder()
        self.destroyed: set[UUID] = set()
        """What the harness destroyed in Kafka before it was recorded."""
        self._began_s = time.monotonic()
        stage.cluster.recreate_topics()
        self.store_url, self.recorders_url = stage.new_store(database, store_folder or self.folder)
        self._shared_outbox = shared_outbox
        self._outbox_limit_bytes = outbox_limit_bytes
        self._telemetry_limit_bytes = telemetry_limit_bytes
        self._end = self.folder / "publishers-end"
        self.clock_step = self.folder / "clock-step"
        self.clock_step.write_text("0")
        self._poisoner = Poisoner(stage.cluster, self.chance) if poison else None
        self._poison_at = 0.0
        self._faults: list[tuple[int, int]] = []
        self._problems: list[str] = []
        self._kills_elsewhere = 0
        self.publishers = [self._publisher(number, per_s) for number in range(publishers)]
        self._alone = recorders == 1
        self.recorders = [self._recorder(number) for number in range(recorders)]
        stage.at_end(self._abandon)

    def start(
        self, publisher_deaths: Sequence[Death] = (), recorder_deaths: Sequence[Death] = ()
    ) -> None:
        """Start everybody; the deaths are dealt out among the publishers, and the recorders."""
        for index, one in enumerate(self.publishers):
            one.begin(publisher_deaths[index :: len(self.publishers)])
        for index, one in enumerate(self.recorders):
            one.begin(recorder_deaths[index :: len(self.recorders)])

    def warm_up(self) -> None:
        """Start everybody, and let them work until each has done something."""
        self.start()
        everybody = [*self.publishers, *self.recorders]
        self.go_on_until(lambda: all(one.works() for one in everybody), 60, "everybody works")
        self.go_on(0.5)

    def go_on(self, seconds: float) -> None:
        """Let everybody work for a while; who ends is started again."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._tend(self.publishers)

    def go_on_until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> bool:
        """The same until something holds; noted as a violation when it never does."""
        return self._until(condition, timeout_s, what, self.publishers)

    @contextmanager
    def fault(self) -> Iterator[None]:
        """Something is broken for the length of a block: ``publish`` is timed meanwhile."""
        began = monotonic_us()
        yield
        self._faults.append((began, monotonic_us()))

    def kill_at_random(self, victims: Sequence[Supervised], kills: int, within_s: float) -> None:
        """SIGKILL one of them ``kills`` times, at random moments up to ``within_s`` apart.

        One life in four is cut while it begins, the others when it has begun to work.
        """
        for _ in range(kills):
            self.go_on(self.chance.uniform(0.02, within_s))
            victim = self.chance.choice(victims)
            if self.chance.random() > _KILLED_AT_BIRTH:
                self.go_on_until(victim.works, 60, "it works")
            victim.kill()

    def are_deaths_over(self) -> bool:
        """Whether everybody has died at all points at which they were to."""
        return not any(one.has_deaths_left for one in [*self.publishers, *self.recorders])

    def note(self, problem: str) -> None:
        """Something that must not be."""
        self._problems.append(problem)

    def count_kill(self) -> None:
        """A process that is not supervised here, such as a broker, was ended by SIGKILL."""
        self._kills_elsewhere += 1

    def give_up_members(self) -> None:
        """Tell the group's coordinator at once what it would find out after ten seconds.

        It forgets all members: who lives joins again.
        """
        if self.database == "PostgreSQL":  # a recorder into SQLite joins no group
            forget_members(self.stage.cluster.direct, self.store_url)

    def recorded_count(self) -> int:
        """How many entries the store has just now."""
        with closing(open_store(self.store_url)) as store:
            return store.head().tree_size

    def outbox(self, number: int) -> Path:
        """The file of clinical events of a publisher."""
        return self.folder / f"room-{number}" / "outbox.sqlite3"

    def journal(self) -> Journal:
        """What the publishers have said so far."""
        return Journal.read(sorted(self.folder.glob("*.journal")))

    def finish(self) -> Outcome:
        """Let everything drain, end everybody, and hold the account."""
        for one in [*self.publishers, *self.recorders]:
            one.live_on()
        self._end.touch()
        for one in self.publishers:
            code = self._end_tending_recorders(one)
            if code != 0:
                said = "was killed" if code is None else f"ended with {code}"
                self.note(f"{one.name} could not drain its outbox: it {said}")
        poison = [] if self._poisoner is None else self._poisoner.settle()
        if self._poisoner is not None:
            self._poisoner.close()
            self._poisoner = None
        self._until(self._is_caught_up, _CATCH_UP_S, "the recorder caught up", ())
        for one in self.recorders:
            one.ask_to_end()
        for one in self.recorders:
            one.end(30)
        return self._outcome(poison)

    def _abandon(self) -> None:
        """End whoever still lives, which after :meth:`finish` is nobody."""
        for one in [*self.publishers, *self.recorders]:
            one.end(0)
        if self._poisoner is not None:
            self._poisoner.close()

    def _end_tending_recorders(self, publisher: Supervised) -> int | None:
        deadline = time.monotonic() + DRAIN_S + 30
        while publisher.is_alive and time.monotonic() < deadline:
            self._tend(publishers=())
        return publisher.end(1)

    def _until(
        self,
        condition: Callable[[], bool],
        timeout_s: float,
        what: str,
        publishers: Sequence[Supervised],
    ) -> bool:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                self.note(f"{what}: not within {timeout_s:g} s")
                return False
            self._tend(publishers)
        return True

    def _is_caught_up(self) -> bool:
        time.sleep(0.2)
        return positions(self.store_url) == log_ends(self.stage.cluster.direct)

    def _outcome(self, poison: Sequence[PoisonRecord]) -> Outcome:
        journal, stored = self.journal(), read_store(self.store_url)
        done = account(
            journal.attempted,
            journal.returned,
            stored.events,
            poison,
            stored.quarantined,
            self.destroyed,
            journal.refused.keys() | journal.shed,
        )
        verdict = verify(self.store_url)
        if verdict.result != "intact" or verdict.missing_guards:
            self.note(f"the store is {verdict.words}: {verdict.reason or verdict.remarks}")
        timed = self._during_faults(journal.latencies)
        if not any(one.accepted for one in timed):
            self.note("no event was accepted during the fault")
        everybody = [*self.publishers, *self.recorders]
        reached = [point for one in everybody for point in one.reached]
        return Outcome(
            account=done,
            kills=sum(one.kills for one in everybody) + self._kills_elsewhere,
            points={point: reached.count(point) for point in sorted(set(reached))},
            latencies=timed,
            seconds=time.monotonic() - self._began_s,
            violations=[*self._problems, *done.violations],
        )

    def _during_faults(self, latencies: Collection[Latency]) -> list[Latency]:
        return [
            one
            for one in latencies
            if any(began <= one.began_us <= ended for began, ended in self._faults)
        ]

    def _tend(self, publishers: Sequence[Supervised]) -> None:
        for one in [*publishers, *self.recorders]:
            one.tend()
        if self._poisoner is not None and time.monotonic() >= self._poison_at:
            self._poison_at = time.monotonic() + _POISON_EVERY_S
            self._poisoner.produce(2)
        time.sleep(_TICK_S)

    def _publisher(self, number: int, per_s: float) -> Supervised:
        folder = self.folder / f"room-{0 if self._shared_outbox else number}"
        folder.mkdir(exist_ok=True)
        task = partial(
            PublisherTask,
            outbox=folder / "outbox.sqlite3",
            journal=self.folder / f"room-{number}.journal",
            log=self.folder / f"room-{number}.log",
            bootstrap=self.stage.cluster.room.bootstrap,
            end=self._end,
            limit_bytes=self._outbox_limit_bytes,
            telemetry_limit_bytes=self._telemetry_limit_bytes,
            procedures=tuple(uuid4() for _ in range(_PROCEDURES)),
            per_s=per_s,
        )
        return Supervised(
            f"publisher {number}",
            lambda death: (publish_until_told, task(death=death)),
            self.folder / f"room-{number}.journal",
        )

    def _recorder(self, number: int) -> Supervised:
        task = partial(
            RecorderTask,
            home=self.folder,
            log=self.folder / f"recorder-{number}.log",
            bootstrap=self.stage.cluster.recording.bootstrap,
            audit_url=self.recorders_url,
            clock_step=self.clock_step,
            work=self.folder / f"recorder-{number}.work",
        )
        return Supervised(
            f"recorder {number}",
            lambda death: (record_until_told, task(death=death)),
            self.folder / f"recorder-{number}.work",
            self.give_up_members if self._alone else None,
        )
