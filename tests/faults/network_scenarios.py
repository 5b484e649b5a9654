"""Networks that are cut, fall silent, slow down, or lose the answer to what was done."""

from __future__ import annotations

from functools import partial

from faults.networks import Network
from faults.outcome import Outcome
from faults.run import Run
from faults.scenario import BOTH, Scenario
from faults.stage import Database, Stage

_CUT_S = 3.0
_SILENT_S = 5.0
_SLOW_S = 3.0
_DELAY_S = 0.1
_ANSWERS = 5
_PRODUCE_REQUEST = b"ce_id"
"""A header of every record: of what a publisher sends, only the requests that hold records."""
_COMMIT = b"COMMIT\0"


def room_to_kafka(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The room's network to Kafka fails in every way."""
    run = _started(stage, database, seed)
    _fail_in_every_way(run, stage.room_network)
    return run.finish()


def acknowledgements_lost(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Kafka has taken a batch, and the connection breaks before the publisher is told."""
    run = _started(stage, database, seed)
    _lose(run, stage.room_network, _PRODUCE_REQUEST)
    return run.finish()


def recorder_to_kafka(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The recorder's network to Kafka fails in every way."""
    run = _started(stage, database, seed)
    _fail_in_every_way(run, stage.recording_network)
    return run.finish()


def recorder_to_database(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The recorder's network to the database fails in every way."""
    run = _started(stage, database, seed)
    _fail_in_every_way(run, stage.database_network)
    return run.finish()


def commits_unanswered(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The database has committed, and the connection breaks before the recorder is told."""
    run = _started(stage, database, seed)
    _lose(run, stage.database_network, _COMMIT)
    return run.finish()


def database_stopped(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The database server ends at once, as in a crash, and recovers from its log."""
    run = _started(stage, database, seed)
    for _ in range(3):
        with run.fault():
            stage.postgres.stop(immediately=True)
            run.go_on(1.5)
        stage.postgres.start()
        run.go_on(2.0)
    return run.finish()


def _started(stage: Stage, database: Database, seed: int) -> Run:
    run = Run(stage, database, seed)
    run.warm_up()
    return run


def _fail_in_every_way(run: Run, network: Network) -> None:
    with run.fault():
        network.cut()
        run.go_on(_CUT_S)
        network.open()
        run.go_on(1.5)
        network.silence()
        run.go_on(_SILENT_S)
        network.open()  # what was held back arrives late
        run.go_on(1.5)
        network.silence()
        run.go_on(_CUT_S)
        network.cut()  # and now it never does
        network.slow(_DELAY_S)
        run.go_on(_SLOW_S)
    network.open()


def _lose(run: Run, network: Network, asking: bytes) -> None:
    for _ in range(_ANSWERS):
        before = network.lost_answers
        with run.fault():
            network.lose_answers(asking, times=1)
            run.go_on_until(partial(_has_lost_more, network, before), 20, "an answer is lost")
            run.go_on(0.5)


def _has_lost_more(network: Network, before: int) -> bool:
    return network.lost_answers > before


SCENARIOS = (
    Scenario("network publisher to Kafka: cut, silent, slow", room_to_kafka),
    Scenario("network publisher to Kafka: acknowledgements lost", acknowledgements_lost),
    Scenario("network recorder to Kafka: cut, silent, slow", recorder_to_kafka, databases=BOTH),
    Scenario(
        "network recorder to database: cut, silent, slow",
        recorder_to_database,
        databases=("PostgreSQL",),
    ),
    Scenario(
        "network recorder to database: lost on COMMIT",
        commits_unanswered,
        databases=("PostgreSQL",),
    ),
    Scenario("database: immediate stop", database_stopped, databases=("PostgreSQL",)),
)
