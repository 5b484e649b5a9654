"""Recording from a command: the recorder of this home, put together from its settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryotrail.configured_registry import configured_registry
from cryotrail.console import progress, say
from cryotrail.embedded.connection import kafka_connection
from cryotrail.personal_keys import record_cipher
from cryotrail.settings import Settings
from cryotrail_audit.store import migrate, open_store
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_consumers.reading.kafka_source import KafkaSource, group_of
from cryotrail_consumers.recording.circuit_breaker import BreakerLimits
from cryotrail_consumers.recording.garbage import rare_collections
from cryotrail_consumers.recording.observer import RecorderObserver
from cryotrail_consumers.recording.recorder import Recorder
from cryotrail_consumers.recording.settings import RecorderSettings
from cryotrail_consumers.recording.tally import Tally
from cryotrail_schemas.topics import EVENT_TOPICS

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What one run of the recorder did, and how fast."""

    tally: Tally
    elapsed_s: float

    @property
    def records_per_s(self) -> float:
        """Kafka records dealt with per second of wall time, connecting included."""
        return self.tally.records / self.elapsed_s


@contextmanager
def open_recorder(
    settings: Settings,
    observer: RecorderObserver | None = None,
    *,
    quarantine_unknown: bool = False,
) -> Iterator[Recorder]:
    """A recorder from the Kafka of ``settings`` into their audit store, ready to run.

    Into SQLite one recorder reads everything; recorders into PostgreSQL share the partitions. An
    SQLite store that does not exist is made when its folder is there or is this home: a mistyped
    path makes no second store. A PostgreSQL store is an administrator's to create.

    :param quarantine_unknown: records with unknown schemas go into quarantine, however many.
    :raises EmbeddedKafkaNotRunning: no cluster is named and none runs for this home.
    :raises StoreNotReady: no audit store, or one of another revision.
    :raises KekRefused, KeyStoreError: quarantined bytes are to be encrypted and cannot be.
    """
    connection = kafka_connection(settings)
    embedded = settings.audit_url.startswith(_SQLITE)
    if embedded:
        _make_store_of_home(settings)
    with record_cipher(settings) as records, closing(open_store(settings.audit_url)) as store:
        group = group_of(store.origin())
        recorder = Recorder(
            store,
            lambda: KafkaSource(
                connection,
                EVENT_TOPICS,
                group,
                share=not embedded,
                instance=settings.recorder_instance,
            ),
            RecordDecoder(KnownSchemas(store, configured_registry(settings))),
            records,
            observer,
            RecorderSettings(
                BreakerLimits(
                    settings.recorder_breaker_records,
                    settings.recorder_breaker_share,
                    settings.recorder_breaker_window_s,
                ),
                quarantine_unknown,
                settings.recorder_stuck_after_s,
            ),
        )
        if observer is not None:
            observer.begins(recorder.tally, store.head().tree_size)
        yield recorder


def _make_store_of_home(settings: Settings) -> None:
    path = Path(settings.audit_url.removeprefix(_SQLITE))
    if not path.exists() and (path.parent == settings.home or path.parent.is_dir()):
        migrate(settings.audit_url)
        say(f"new audit store {path}")


CAUGHT_UP_PATIENCE_S: Final = 60.0
"""How long a run that is to end by itself waits for what is away, unless told."""


def record(
    recorder: Recorder,
    *,
    until_caught_up: bool,
    give_up_after_s: float | None = None,
    label: str = "Kafka → audit store",
) -> RecordOutcome:
    """Run a recorder; with a progress bar when it is to end by itself.

    :param give_up_after_s: how long to wait for what is away; None = for ever, or for a minute
        when it is to end by itself.
    :raises GivenUp: it was waited for in vain.
    """
    started = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(rare_collections())
        if not until_caught_up:
            tally = recorder.run(give_up_after_s=give_up_after_s)
            return RecordOutcome(tally, time.monotonic() - started)
        shown = 0
        advance: Callable[[int], None] | None = None

        def show(tally: Tally) -> None:
            nonlocal shown, advance
            if advance is None:  # only now is it known how many there are
                advance = stack.enter_context(progress(label, tally.backlog))
            advance(tally.records - shown)
            shown = tally.records

        patience_s = CAUGHT_UP_PATIENCE_S if give_up_after_s is None else give_up_after_s
        recorder.run(until_caught_up=True, give_up_after_s=patience_s, on_batch=show)
    return RecordOutcome(recorder.tally, time.monotonic() - started)
