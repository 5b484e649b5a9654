"""A cluster of three Apache Kafka nodes on loopback, made to be killed, stopped and damaged."""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from kafka.errors import KafkaError
from kafka_fixtures import home_settings

from cryotrail.embedded.data_folder import new_cluster_id
from cryotrail.embedded.jars import pinned_jars, require_jars
from cryotrail.embedded.java import find_java
from cryotrail.embedded.properties import logging_properties
from cryotrail.embedded.topics import ensure_topics
from cryotrail_producers.kafka_clients import KafkaConnection, KafkaUnreachable, admin
from cryotrail_schemas.topics import EVENT_TOPICS
from faults.broker_node import HOST, REPLICAS, BrokerNode, BrokerPorts, node_properties


class ThreeNodeKafka:
    """Three nodes, replication 3, ``min.insync.replicas=2``."""

    def __init__(self, home: Path, ports: list[BrokerPorts]) -> None:
        """Lay the nodes out under ``home``; :meth:`start` starts them."""
        settings = home_settings(home)
        java = find_java(settings.java_home)
        jars = os.pathsep.join(map(str, require_jars(settings.cache_dir, pinned_jars())))
        self._ports = ports
        self.cluster_id = new_cluster_id()
        self.nodes: list[BrokerNode] = []
        for node_id, own in enumerate(ports, start=1):
            folder = home / f"node-{node_id}"
            folder.mkdir(parents=True)
            logging = folder / "log4j2.properties"
            logging.write_text(logging_properties(folder), encoding="utf-8")
            options = [*java.options(), f"-Dlog4j2.configurationFile={logging}", "-cp", jars]
            command = [str(java.executable), *options]
            text = node_properties(node_id, own, ports, folder / "data")
            self.nodes.append(BrokerNode(node_id, folder, command, text))
        self.direct = _connection([own.direct for own in ports])
        """The harness's own way in, which no fault touches."""
        self.room = _connection([own.room for own in ports])
        """What publishers are given."""
        self.recording = _connection([own.recording for own in ports])
        """What recorders are given."""

    def start(self) -> None:
        """Format and start all, and wait until they form a cluster; at most two minutes."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: node.format(self.cluster_id), self.nodes))
        for node in self.nodes:
            node.start()
        self.await_whole()

    def stop(self) -> None:
        """End all; nothing is kept, so there is no need to be gentle."""
        for node in self.nodes:
            node.kill()

    def await_whole(self, timeout_s: float = 120.0) -> None:
        """Start those that do not run, and wait until :meth:`is_whole`."""
        deadline = time.monotonic() + timeout_s
        while not self.is_whole():
            if time.monotonic() > deadline:
                said = "\n".join(node.last_words() for node in self.nodes)
                raise AssertionError(f"the cluster did not become whole\n{said}")
            time.sleep(0.1)

    def is_whole(self) -> bool:
        """Whether every node is registered and every replica of the topics is in sync.

        A node that has ended is started again, as a service manager does: another process may
        have held one of its ports for a moment.
        """
        for node in self.nodes:
            if node.has_ended():
                node.start()
        try:
            return self._has_all_replicas()
        except (KafkaError, KafkaUnreachable):
            return False

    def _has_all_replicas(self) -> bool:
        if not all(_listens(own.direct) for own in self._ports):
            return False
        with closing(admin(self.direct, connect_timeout_s=2.0, request_timeout_ms=5000)) as client:
            brokers = client.describe_cluster()["brokers"]
            if sum(not one["is_fenced"] for one in brokers) < REPLICAS:
                return False
            present = [topic for topic in EVENT_TOPICS if topic in client.list_topics()]
            described = client.describe_topics(present) if present else []
        return all(
            len(partition["isr_nodes"]) == REPLICAS
            for topic in described
            for partition in topic["partitions"]
        )

    def recreate_topics(self) -> None:
        """Delete what there is of both topics and create them anew, as the product does."""
        for own in self._ports:
            # Each node in turn, since each learns of a deletion in its own time.
            with closing(admin(_connection([own.direct]))) as client:
                _delete_topics(client)
        outcome = ensure_topics(self.direct)
        assert set(outcome.created) == set(EVENT_TOPICS)
        self.await_whole()

    def topic_uuids(self, timeout_s: float = 30.0) -> dict[str, UUID]:
        """Kafka's id of each topic; waits for a node that has not yet heard of a new one."""
        deadline = time.monotonic() + timeout_s
        with closing(admin(self.direct)) as client:
            while True:
                described = client.describe_topics(list(EVENT_TOPICS))
                if not any(one["error_code"] for one in described):
                    return {one["name"]: UUID(str(one["topic_id"])) for one in described}
                assert time.monotonic() < deadline, "a node does not know the topics"
                time.sleep(0.05)

    def leader(self, topic: str, partition: int) -> BrokerNode:
        """The node that leads a partition just now."""
        with closing(admin(self.direct)) as client:
            (described,) = client.describe_topics([topic])
        leaders: dict[int, int] = {
            one["partition_index"]: one["leader_id"] for one in described["partitions"]
        }
        return self.nodes[leaders[partition] - 1]


def _delete_topics(client: Any) -> None:
    deadline = time.monotonic() + 30
    while present := set(EVENT_TOPICS) & set(client.list_topics()):
        assert time.monotonic() < deadline, f"not deleted: {present}"
        for topic in present:
            with suppress(KafkaError):  # its deletion is under way
                client.delete_topics([topic])
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _connection(ports: list[int]) -> KafkaConnection:
    return KafkaConnection(",".join(f"{HOST}:{port}" for port in ports))
