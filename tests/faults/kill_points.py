"""Named points of the product at which a process kills itself, as a power cut would end it.

A point is the boundary of a function of the product, replaced in this process by one that ends
with SIGKILL before or after the work. A point whose function is gone fails loudly.
"""

from __future__ import annotations

import importlib
import os
import signal
from functools import partial, wraps
from typing import Any, Literal, NamedTuple


class KillPoint(NamedTuple):
    """Where to die: before or after a call of ``owner.function``."""

    name: str
    when: Literal["before", "after"]
    module: str
    owner: str | None
    """A class of the module; None = the module itself, where the function is looked up."""
    function: str
    something: bool = False
    """Of the calls only those that return something count (``after`` alone)."""
    once: bool = False
    """A process gets there once in its life."""


PUBLISHER_POINTS = (
    KillPoint("outbox: before commit", "after", "cryotrail_producers.outbox.outbox", None,
              "accept_calls"),
    KillPoint("outbox: after commit, before return", "after", "cryotrail_producers.outbox.outbox",
              "Outbox", "append"),
    KillPoint("sender: before a batch is handed over", "before", "cryotrail_producers.transport",
              "KafkaTransport", "send"),
    KillPoint("sender: a batch is handed over", "after", "cryotrail_producers.transport",
              "KafkaTransport", "send"),
    KillPoint("sender: acknowledged, before the mark", "before",
              "cryotrail_producers.outbox.drain", "OutboxDrain", "acknowledge"),
    KillPoint("sender: within the mark's transaction", "before",
              "cryotrail_producers.sending.session", "SendSession", "_remember"),
    KillPoint("sender: marked", "after", "cryotrail_producers.outbox.drain", "OutboxDrain",
              "acknowledge"),
    KillPoint("telemetry: before it is synced", "before", "cryotrail_producers.outbox.outbox", "Outbox",
              "sync"),
)  # fmt: skip

SALVAGE_POINTS = (
    KillPoint("salvage: begun, nothing moved", "before", "cryotrail_producers.salvage.set_aside", None,
              "_finish", once=True),
    KillPoint("salvage: set aside", "before", "cryotrail_producers.salvage.set_aside", None,
              "read_salvage", once=True),
    KillPoint("salvage: what was found is written", "after", "cryotrail_producers.salvage.set_aside",
              None, "write_salvaged", once=True),
)  # fmt: skip

RECORDER_POINTS = (
    KillPoint("recorder: partitions are claimed", "after", "cryotrail_consumers.recording.assignment",
              None, "_claim", once=True),
    KillPoint("recorder: taken over, before it reads", "after", "cryotrail_consumers.recording.recorder",
              None, "take_over", once=True),
    KillPoint("recorder: polled", "after", "cryotrail_consumers.reading.kafka_source", "KafkaSource",
              "poll", something=True),
    KillPoint("recorder: decoded", "after", "cryotrail_consumers.decoding.decoding", "RecordDecoder",
              "decode"),
    KillPoint("append: entries are written, no root", "before",
              "cryotrail_audit.appending.append", None, "_close"),
    KillPoint("append: all is written, before commit", "after",
              "cryotrail_audit.sql_store", None, "append"),
    KillPoint("append: committed", "after", "cryotrail_audit.sql_store", "SqlStore", "append"),
    KillPoint("recorder: before the commit to Kafka", "before",
              "cryotrail_consumers.reading.kafka_source", "KafkaSource", "commit"),
    KillPoint("recorder: after the commit to Kafka", "after", "cryotrail_consumers.reading.kafka_source",
              "KafkaSource", "commit"),
)  # fmt: skip


class Death(NamedTuple):
    """A process is to die at a point, at the n-th time that it gets there."""

    point: KillPoint
    nth: int


def arm(death: Death) -> None:
    """Replace the point's function in this process by one that is killed there."""
    point = death.point
    owner: Any = importlib.import_module(point.module)
    if point.owner is not None:
        owner = getattr(owner, point.owner)
    function = getattr(owner, point.function)
    left = death.nth

    @wraps(function)
    def killed_there(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        call = partial(function, *arguments, **options)
        result = None if point.when == "before" else call()
        if point.when == "before" or result or not point.something:
            left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call() if point.when == "before" else result

    setattr(owner, point.function, killed_there)
