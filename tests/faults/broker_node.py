"""One node of the cluster: where it listens, how it is configured, how it starts and dies."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryotrail.embedded.process import is_running, kill, spawn
from cryotrail.embedded.properties import broker_properties

HOST = "127.0.0.1"
REPLICAS = 3
_LAST_LINES = 15


@dataclass(frozen=True)
class BrokerPorts:
    """Where one node listens, and where it tells its clients to connect.

    ``room`` and ``recording`` are ports of proxies: a publisher and a recorder reach the node
    through them alone, so that either network can be cut. ``direct`` is the nodes' own network and
    the harness's.
    """

    direct: int
    controller: int
    room_listener: int
    recording_listener: int
    room: int
    recording: int


class BrokerNode:
    """One node: broker and controller at once, in a folder of its own."""

    def __init__(self, node_id: int, folder: Path, java: list[str], properties: str) -> None:
        self.node_id = node_id
        self.data_dir = folder / "data"
        self._folder = folder
        self._java = java
        self._properties = folder / "server.properties"
        self._properties.write_text(properties, encoding="utf-8")
        self._pid = 0

    def format(self, cluster_id: str) -> None:
        """Prepare the empty data folder."""
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id]
        command = [*self._java, *tool, "-c", str(self._properties)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    def start(self) -> None:
        """Start the process; it is not ready yet."""
        command = [*self._java, "kafka.Kafka", str(self._properties)]
        self._pid = spawn(command, self._folder / "console.log", os.environ)

    @property
    def is_running(self) -> bool:
        return bool(self._pid) and is_running(self._pid, str(self._properties))

    def has_ended(self) -> bool:
        """Whether its process is gone."""
        return not self.is_running

    def last_words(self) -> str:
        """Whether it runs, and the last that it printed and logged: why it does not get ready."""
        said = [
            line
            for name in ("console.log", "kafka.log")
            if (log := self._folder / name).exists()
            for line in log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        ]
        state = "runs" if self.is_running else "has ended"
        return "\n".join([f"node {self.node_id} {state}:", *said])

    def kill(self) -> None:
        """End it with SIGKILL and wait until it is gone."""
        kill(self._pid, str(self._properties))

    def ask_to_stop(self) -> None:
        """SIGTERM: it hands its partitions over and ends."""
        os.kill(self._pid, signal.SIGTERM)


def node_properties(
    node_id: int, own: BrokerPorts, ports: list[BrokerPorts], data_dir: Path
) -> str:
    """The embedded node's configuration with what makes it one of three."""
    values = dict(
        line.split("=", 1)
        for line in broker_properties(HOST, own.direct, own.controller, data_dir).splitlines()
    )
    three, two = str(REPLICAS), str(REPLICAS - 1)
    values |= {
        "node.id": str(node_id),
        "listeners": f"PLAINTEXT://{HOST}:{own.direct},ROOM://{HOST}:{own.room_listener},"
        f"RECORDING://{HOST}:{own.recording_listener},CONTROLLER://{HOST}:{own.controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{own.direct},ROOM://{HOST}:{own.room},"
        f"RECORDING://{HOST}:{own.recording}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,ROOM:PLAINTEXT,"
        "RECORDING:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": ",".join(
            f"{number}@{HOST}:{one.controller}" for number, one in enumerate(ports, start=1)
        ),
        "default.replication.factor": three,
        "min.insync.replicas": two,
        "offsets.topic.replication.factor": three,
        "transaction.state.log.replication.factor": three,
        "transaction.state.log.min.isr": two,
        "share.coordinator.state.topic.replication.factor": three,
        "share.coordinator.state.topic.min.isr": two,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())
