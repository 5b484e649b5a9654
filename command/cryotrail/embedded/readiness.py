"""When a broker that was started is ready, and what it said when it never got there."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

from cryotrail.embedded.errors import BrokerFailed
from cryotrail.embedded.process import is_running
from cryotrail.embedded.state import BrokerState, properties_path
from cryotrail.settings import Settings
from cryotrail_producers.kafka_clients import KafkaConnection, KafkaUnreachable, admin

_FIRST_LOGGED = "kafka.Log4jController"
"""Stands in the first line that a broker logs; the file also holds its earlier runs."""


def await_ready(state: BrokerState, settings: Settings, timeout_s: float) -> None:
    """Wait until a client can list topics.

    :raises BrokerFailed: the process ended, or ``timeout_s`` has passed; with its last errors.
    """
    deadline = time.monotonic() + timeout_s
    mark = str(properties_path(settings.kafka_dir))
    assert state.pid is not None
    while time.monotonic() < deadline:
        if not is_running(state.pid, mark):
            raise BrokerFailed(
                f"the embedded Kafka ended while it started: {_last_words(settings.logs_dir)}",
                hint=f"the whole story is in {settings.logs_dir / 'kafka.log'}",
            )
        try:
            client = admin(KafkaConnection(state.bootstrap), connect_timeout_s=1.0)
        except KafkaUnreachable:
            continue
        try:
            client.list_topics()
        finally:
            client.close()
        return
    raise BrokerFailed(
        f"the embedded Kafka was not ready within {timeout_s:g} s: "
        f"{_last_words(settings.logs_dir)}",
        hint=f"the whole story is in {settings.logs_dir / 'kafka.log'}",
    )


def _last_words(logs_dir: Path) -> str:
    """The first error of this start and its cause, else the last line that was written.

    The first, because what a broker logs while it falls is only the consequence.
    """
    logged = _text(logs_dir / "kafka.log").rpartition(_FIRST_LOGGED)[2].splitlines()
    for line, following in pairwise([*logged, ""]):
        if " ERROR " in line or " FATAL " in line:
            return f"{line}: {following}" if "Exception" in following else line
    said = _text(logs_dir / "kafka-console.log").splitlines() or logged
    return said[-1] if said else "it wrote nothing"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
