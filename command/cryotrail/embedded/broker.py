"""The embedded Kafka of a home: started, inspected and stopped. Its data outlives all three."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryotrail.embedded.data_folder import (
    format_data_folder,
    is_formatted,
    new_cluster_id,
    require_own,
)
from cryotrail.embedded.errors import BrokerFailed
from cryotrail.embedded.jars import kafka_version, pinned_jars, require_jars
from cryotrail.embedded.java import find_java
from cryotrail.embedded.ports import HOST, free_port
from cryotrail.embedded.process import is_running, kill, spawn, terminate
from cryotrail.embedded.properties import broker_properties, logging_properties
from cryotrail.embedded.readiness import await_ready
from cryotrail.embedded.state import (
    BrokerState,
    properties_path,
    read_state,
    running_state,
    write_state,
)
from cryotrail.embedded.topics import TopicDifference, ensure_topics
from cryotrail.settings import Settings
from cryotrail_producers.kafka_clients import KafkaConnection

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """A broker that is ready for clients."""

    bootstrap: str
    pid: int
    version: str
    cluster_id: str
    started: bool
    """Whether this call started it; False = it ran already, and is another's to stop."""
    differences: tuple[TopicDifference, ...]
    """How existing topics differ from the design; they were not changed."""


def start(settings: Settings) -> RunningBroker:
    """Make sure that this home's broker runs, is ready and has its topics.

    Several processes may call it at once: one starts the broker, the others wait and find it
    running. The broker outlives the calling process.

    :raises JavaNotFound, JarRefused, JarsUnavailable: what it runs on is not there.
    :raises DataFolderRefused: the data folder is not this home's; it is left untouched.
    :raises BrokerFailed: it ended or was not ready within :data:`START_TIMEOUT_S`; it does not
        run any more, and the message carries the last lines of its log.
    """
    with _exclusively(settings.kafka_dir):
        found = running_state(settings.kafka_dir)
        state = found or _launch(settings)
        try:
            await_ready(state, settings, START_TIMEOUT_S)
            topics = ensure_topics(KafkaConnection(state.bootstrap), flush_each_message=True)
        except BaseException:
            if found is None and state.pid is not None:
                kill(state.pid, str(properties_path(settings.kafka_dir)))
                write_state(settings.kafka_dir, state.without_process())
            raise
    assert state.pid is not None  # both a running and a launched broker have one
    return RunningBroker(
        bootstrap=state.bootstrap,
        pid=state.pid,
        version=state.version,
        cluster_id=state.cluster_id,
        started=found is None,
        differences=topics.differences,
    )


def stop(settings: Settings) -> bool:
    """Stop this home's broker cleanly and wait until it is gone.

    Returns False when none ran. A stale process id is forgotten, and no other process is touched.

    :raises BrokerFailed: it still runs after :data:`STOP_TIMEOUT_S`.
    """
    if not settings.kafka_dir.is_dir():
        return False
    with _exclusively(settings.kafka_dir):
        state = read_state(settings.kafka_dir)
        if state is None or state.pid is None:
            return False
        mark = str(properties_path(settings.kafka_dir))
        ran = is_running(state.pid, mark)
        if not terminate(state.pid, mark, STOP_TIMEOUT_S):
            raise BrokerFailed(
                f"the embedded Kafka (process {state.pid}) still runs "
                f"{STOP_TIMEOUT_S:g} s after it was asked to stop",
                hint=f"see {settings.logs_dir / 'kafka.log'}; `kill -9 {state.pid}` loses nothing "
                "that was acknowledged",
            )
        write_state(settings.kafka_dir, state.without_process())
        return ran


@contextmanager
def running(settings: Settings) -> Iterator[RunningBroker | None]:
    """A broker for the length of a block; stopped at its end only when this call started it.

    Yields None, and starts nothing, when the settings name a cluster.

    :raises EmbeddedKafkaError: as :func:`start` and :func:`stop` do.
    """
    if settings.kafka_bootstrap is not None:
        yield None
        return
    found = start(settings)
    try:
        yield found
    finally:
        if found.started:
            stop(settings)


def _launch(settings: Settings) -> BrokerState:
    """Start the process; it is not ready yet."""
    jars = pinned_jars()
    java = find_java(settings.java_home)
    class_path = require_jars(settings.cache_dir, jars)
    kafka_dir, logs_dir = settings.kafka_dir, settings.logs_dir
    data_dir = kafka_dir / "data"
    logs_dir.mkdir(parents=True, exist_ok=True)
    logging = kafka_dir / "log4j2.properties"
    logging.write_text(logging_properties(logs_dir), encoding="utf-8")
    command = [
        str(java.executable),
        *java.options(),
        f"-Dlog4j2.configurationFile={logging}",
        "-cp",
        os.pathsep.join(str(path) for path in class_path),
    ]
    state = _planned(settings, kafka_version(jars))
    if is_formatted(data_dir):
        require_own(data_dir, state.cluster_id)
    else:
        state = replace(state, cluster_id=new_cluster_id())
        write_state(kafka_dir, state)
        format_data_folder(command, data_dir, state.cluster_id)
    properties = properties_path(kafka_dir)
    properties.write_text(
        broker_properties(HOST, state.port, state.controller_port, data_dir), encoding="utf-8"
    )
    command += ["kafka.Kafka", str(properties)]
    pid = spawn(command, logs_dir / "kafka-console.log", os.environ)
    state = replace(state, pid=pid)
    write_state(kafka_dir, state)
    return state


def _planned(settings: Settings, version: str) -> BrokerState:
    """Where the broker will listen: where it last did, so that clients find it again."""
    previous = read_state(settings.kafka_dir)
    port = settings.kafka_port or free_port(previous.port if previous else None)
    controller_port = free_port(previous.controller_port if previous else None, taken=port)
    return BrokerState(
        cluster_id=previous.cluster_id if previous else "",
        version=version,
        host=HOST,
        port=port,
        controller_port=controller_port,
        pid=None,
    )


@contextmanager
def _exclusively(kafka_dir: Path) -> Iterator[None]:
    """Hold this home's start-and-stop lock; the system releases it when the process dies."""
    kafka_dir.mkdir(parents=True, exist_ok=True)
    with (kafka_dir / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
