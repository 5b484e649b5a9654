"""Brokers that die, restart, or lose what they acknowledged."""

from __future__ import annotations

from kafka_damage import base_offsets, cut_tail

from cryotrail_schemas.topics import PARTITION_COUNT, PROCEDURE_EVENTS
from faults.broker_node import BrokerNode
from faults.outcome import Outcome
from faults.run import Run
from faults.scenario import BOTH, Scenario
from faults.stage import Database, Stage
from faults.store_reading import held_records, log_ends, positions


def leader_killed(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The leader of a random partition dies, and comes back while another leads."""
    run = Run(stage, database, seed)
    run.warm_up()
    for _ in range(kills):
        partition = run.chance.randrange(PARTITION_COUNT)
        leader = stage.cluster.leader(PROCEDURE_EVENTS, partition)
        with run.fault():
            _kill(run, leader)
            run.go_on(5.0)
        leader.start()
        run.go_on_until(stage.cluster.is_whole, 60, "the cluster is whole")
    return run.finish()


def rolling_restart(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Each broker in turn is stopped cleanly and started again."""
    run = Run(stage, database, seed)
    run.warm_up()
    with run.fault():
        for node in stage.cluster.nodes:
            node.ask_to_stop()
            run.go_on_until(node.has_ended, 60, "the broker ends")
            node.start()
            run.go_on_until(stage.cluster.is_whole, 60, "the cluster is whole")
    return run.finish()


def tail_cut(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Every replica loses acknowledged records from the ends of its logs, recorded or not."""
    run = _with_a_backlog(stage, database, seed)
    held, recorded = held_records(stage.cluster.direct), positions(run.store_url)
    for node in stage.cluster.nodes:
        _kill(run, node)
    for topic, partition in sorted({(one.topic, one.partition) for one in held}):
        # Through what waits in most partitions, below what is recorded in some.
        lowest = recorded[topic, partition] - run.chance.choice((0, 0, 0, 2))
        first, *_ = stage.cluster.nodes
        batches = [at for at in base_offsets(first, topic, partition) if at >= lowest]
        if batches:
            keep = run.chance.choice(batches)
            for node in stage.cluster.nodes:
                cut_tail(node, topic, partition, keep)
    stage.cluster.await_whole()
    left = log_ends(stage.cluster.direct)
    run.destroyed = {
        one.event_id
        for one in held
        if one.event_id is not None
        and one.offset >= left[one.topic, one.partition]
        and one.offset >= recorded[one.topic, one.partition]
    }
    return _recovered(run)


def topics_recreated(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Both topics are deleted with what waited in them, and made anew."""
    run = _with_a_backlog(stage, database, seed)
    held, recorded = held_records(stage.cluster.direct), positions(run.store_url)
    stage.cluster.recreate_topics()
    run.destroyed = {
        one.event_id
        for one in held
        if one.event_id is not None and one.offset >= recorded[one.topic, one.partition]
    }
    return _recovered(run)


def _with_a_backlog(stage: Stage, database: Database, seed: int) -> Run:
    """Some is recorded, some waits in Kafka, and nothing moves there: the room's network is cut."""
    run = Run(stage, database, seed, poison=False)
    run.warm_up()
    run.recorders[0].bury()
    with run.fault():
        run.go_on(2.0)
        stage.room_network.cut()
        run.go_on(1.0)
    return run


def _recovered(run: Run) -> Outcome:
    if not run.destroyed:
        run.note("nothing was destroyed: the scenario shows nothing")
    with run.fault():
        run.stage.room_network.open()
        run.recorders[0].begin()
        run.go_on(3.0)
    return run.finish()


def _kill(run: Run, node: BrokerNode) -> None:
    node.kill()
    run.count_kill()


SCENARIOS = (
    Scenario("broker: kill -9 of the leader", leader_killed, kills=3),
    Scenario("brokers: rolling restart", rolling_restart),
    Scenario("brokers: log tail cut on every replica", tail_cut, databases=BOTH),
    Scenario("topics deleted and created again", topics_recreated, databases=BOTH),
)
