"""How long `publish` takes, durable, with a sender at work: printed, since machines differ."""

from __future__ import annotations

import time
from pathlib import Path
from uuid import uuid4

import pytest
from outbox_rows import event_ids
from room_events import SOURCE, freeze

from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport


@pytest.mark.parametrize("outage", [None, "no broker answers"])
def test_every_publish_returns_durable_with_and_without_a_broker(
    tmp_path: Path, outage: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    transport, procedure = MemoryTransport(), uuid4()
    transport.outage = outage
    spans_ms = []
    with Publisher(PublisherSettings(tmp_path / "outbox.sqlite3", SOURCE), transport) as publisher:
        for cycle_no in range(1, 501):
            event = freeze(procedure, cycle_no)
            began = time.perf_counter()
            publisher.publish(event)
            spans_ms.append((time.perf_counter() - began) * 1000)
            time.sleep(0.001)

    spans_ms.sort()
    p50, p99, longest = spans_ms[250], spans_ms[495], spans_ms[-1]
    with capsys.disabled():
        broker = "with a broker" if outage is None else "without"
        print(f"\npublish, {broker}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {longest:.2f} ms")
    assert len(event_ids(tmp_path / "outbox.sqlite3")) == 500
