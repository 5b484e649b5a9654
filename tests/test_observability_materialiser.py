"""A materialiser whose refresh takes long is alive, as long as the refresh goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from audit_records import filled_store

from cryotrail.main import main
from cryotrail.observability.health import Heartbeat
from cryotrail_warehouse.materialiser import Materialiser


def test_its_heart_beats_during_a_refresh(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled_store(sqlite_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", sqlite_url)
    beats: list[Heartbeat] = []
    monkeypatch.setattr(Heartbeat, "beat", lambda heart: beats.append(heart))
    during: list[int] = []
    refresh = Materialiser.refresh

    def counted(self: Materialiser, *arguments: object) -> object:
        before = len(beats)
        outcome = refresh(self, *arguments)  # type: ignore[arg-type]
        during.append(len(beats) - before)
        signal.raise_signal(signal.SIGTERM)
        return outcome

    monkeypatch.setattr(Materialiser, "refresh", counted)

    assert main(["warehouse", "refresh", "--follow", "--http", "0"]) == 0
    assert len(during) == 1
    assert during[0] > 5
