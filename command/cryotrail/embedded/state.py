"""What a home knows about its broker: the file ``kafka/broker.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cryotrail.embedded.errors import DataFolderRefused
from cryotrail.embedded.process import is_running


@dataclass(frozen=True, slots=True)
class BrokerState:
    """The identity of a home's broker, and its process when one was started.

    ``{"cluster_id": "3Qk0nN4wQ0a5m1y0Yp8u9A", "version": "4.3.0", "host": "127.0.0.1",
    "port": 41873, "controller_port": 36459, "pid": 71234}``
    """

    cluster_id: str
    version: str
    host: str
    port: int
    controller_port: int
    pid: int | None
    """None after a clean stop."""

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"{self.host}:{self.port}"

    def without_process(self) -> BrokerState:
        """The same broker, stopped."""
        return replace(self, pid=None)


def state_path(kafka_dir: Path) -> Path:
    """Where the state of the broker with this data folder lies."""
    return kafka_dir / "broker.json"


def properties_path(kafka_dir: Path) -> Path:
    """The broker's configuration; its path in a command line marks the process as this home's."""
    return kafka_dir / "server.properties"


def read_state(kafka_dir: Path) -> BrokerState | None:
    """The state of this home's broker, or None when it never had one.

    :raises DataFolderRefused: the file is not readable as such a state.
    """
    path = state_path(kafka_dir)
    try:
        return BrokerState(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise DataFolderRefused(
            f"{path} is not the state of an embedded Kafka: {error}",
            hint="move the folder away, or give another CRYOTRAIL_HOME",
        ) from error


def write_state(kafka_dir: Path, state: BrokerState) -> None:
    """Replace the state in one step, so that a reader never sees half of it."""
    path = state_path(kafka_dir)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(state), indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def running_state(kafka_dir: Path) -> BrokerState | None:
    """The state of this home's broker when its process lives, else None."""
    state = read_state(kafka_dir)
    if state is None or state.pid is None:
        return None
    return state if is_running(state.pid, str(properties_path(kafka_dir))) else None
