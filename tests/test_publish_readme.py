"""The example of the producers' README runs as it is printed, against the real Kafka."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
from kafka_fixtures import KafkaNode
from outbox_rows import event_ids
from room_events import freeze

README = Path(__file__).parents[1] / "producers" / "README.md"


def test_the_readme_example_publishes_an_event(
    kafka: KafkaNode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    room = ModuleType("my_room")
    vars(room)["freeze_started"] = event = freeze(uuid4())
    monkeypatch.setitem(sys.modules, "my_room", room)
    monkeypatch.chdir(tmp_path)

    exec(found[1].replace("localhost:9092", kafka.bootstrap), {})  # noqa: S102 - our own README

    assert capsys.readouterr().out == f"{event.header.event_id} 0\n"
    assert event_ids(tmp_path / "outbox.sqlite3") == [event.header.event_id]
