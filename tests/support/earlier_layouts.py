"""An outbox file as an earlier version of cryotrail left it."""

from __future__ import annotations

from pathlib import Path

from outbox_rows import execute

_BACK_TO = {
    2: (
        "DROP TRIGGER event_waits_again",
        "DROP TRIGGER event_waits_no_more",
        "DROP TRIGGER event_is_gone",
        "DROP TABLE gap",
        "DROP TABLE loss",
        "ALTER TABLE event DROP COLUMN checksum",
        "ALTER TABLE event DROP COLUMN traceparent",
        "ALTER TABLE outbox DROP COLUMN shed_samples",
        "ALTER TABLE outbox DROP COLUMN shed_chunks",
        "ALTER TABLE outbox DROP COLUMN shedding",
        "ALTER TABLE outbox DROP COLUMN waiting_bytes",
        "ALTER TABLE outbox DROP COLUMN waiting_rows",
    ),
    1: (
        "ALTER TABLE event DROP COLUMN signature",
        "ALTER TABLE event DROP COLUMN signing_key_id",
        "DROP TABLE sealed",
        "DROP TABLE content",
        "DROP TABLE subject",
    ),
}


def as_layout(path: Path, layout: int) -> None:
    """Take from a file what later layouts added; its events stay. Nobody has it open."""
    for step in range(max(_BACK_TO), layout - 1, -1):
        for statement in _BACK_TO[step]:
            execute(path, statement)
    execute(path, f"PRAGMA user_version = {layout}")
