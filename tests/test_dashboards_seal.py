"""The Procedure page says whether the record is complete and who signed it, judged from the store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from page_runs import as_read, open_page, text
from published_warehouse import Tables, add_procedure, procedure_id, publish
from recorded_room import RoomRecorder
from sealed_days import ROOM, Day
from signing_rooms import state

from cryotrail_audit.store import open_store
from cryotrail_producers.transport import OutgoingRecord

LABEL = "CRYO-0001"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    tables: Tables = {}
    add_procedure(tables, LABEL)
    publish(folder, tables)
    return folder


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return Day(tmp_path_factory.mktemp("day"), procedure_id=procedure_id(LABEL))


def record(url: str, sent: list[OutgoingRecord]) -> None:
    with closing(open_store(url)) as store:
        state(store, ROOM)
        RoomRecorder(store).record(sent)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_proved_record_is_said_to_be(
    published: Path, sqlite_url: str, day: Day, theme: str
) -> None:
    record(sqlite_url, day.sent)
    page = open_page(published, "procedure", audit_url=sqlite_url, theme=theme, procedure=LABEL)
    assert (
        "Record: all is well: sealed and complete; origin proved: signed by CT room 2; 1 after the seal."
    ) in text(page)
    assert not page.error


def test_a_record_with_an_event_missing_is_an_error_on_the_page(
    published: Path, sqlite_url: str, day: Day
) -> None:
    record(sqlite_url, day.without(day.clinical[1].header.event_id))
    page = open_page(published, "procedure", audit_url=sqlite_url, procedure=LABEL)
    said = as_read(page.error[0].value)
    assert said.startswith("Record: to be looked at: missing 1; not complete; ")
    assert f"cryotrail audit origin {day.procedure_id}" in said


def test_what_nobody_sealed_is_said_to_be_not_sealed(published: Path, sqlite_url: str) -> None:
    page = open_page(published, "procedure", audit_url=sqlite_url, procedure=LABEL)
    assert "Record: no finding: not sealed; origin not proved." in text(page)


def test_without_a_store_the_record_is_not_judged(published: Path) -> None:
    page = open_page(published, "procedure", procedure=LABEL)
    assert "Record not judged: there is no audit store" in text(page)
