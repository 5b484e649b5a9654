"""The Home page: what arrived, and a verdict on the store that is computed each time it is said."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st
from continued_log import restored
from handmade_case import Case
from page_runs import again, as_read, metrics, open_page, text
from published_warehouse import START, Tables, add_procedure, publish
from recorded_events import EventRecorder

from cryotrail_audit.store import migrate, open_store
from cryotrail_dashboards import store_check
from cryotrail_schemas.events import AnaesthesiaGiven, ProcedureEnded, ProcedureStarted


@pytest.fixture(autouse=True)
def no_verdict_kept() -> Iterator[None]:
    """Verdicts are kept for the whole process; each test starts without any."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[EventRecorder]:
    """Records into a store that already holds three events."""
    url = f"sqlite:///{tmp_path / 'audit.sqlite3'}"
    migrate(url)
    store = open_store(url)
    events = EventRecorder(store)
    case = Case(1)
    for kind, minute in ((ProcedureStarted, 0), (AnaesthesiaGiven, 1), (ProcedureEnded, 96)):
        events.record(case.at(kind, minute))
    yield events
    store.close()


@pytest.fixture
def audit_url(recorder: EventRecorder, tmp_path: Path) -> str:
    """Address of that store."""
    return f"sqlite:///{tmp_path / 'audit.sqlite3'}"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "warehouse"
    tables: Tables = {
        "dim_subject": [{"data_origin": "RECONSTRUCTED", "cohort": "RECONSTRUCTED"}],
        "meta_quality": [{"check_name": "late events", "found": 2, "unit": "event"}],
        "meta_publication": [
            {
                "publication_no": 7,
                "published_at": START,
                "audit_tree_size": 2,
                "audit_root": "00",
                "procedure_count": 1,
                "event_count": 813,
                "telemetry_chunk_count": 10992,
                "site_tz": "Asia/Tokyo",
            }
        ],
    }
    add_procedure(tables)
    publish(folder, tables)
    return folder


def tamper(tmp_path: Path) -> None:
    """Change one byte of the body of entry 1, as somebody with the file in hand can."""
    with closing(sqlite3.connect(tmp_path / "audit.sqlite3")) as database:
        triggers = database.execute(
            "select name from sqlite_master where type = 'trigger' and tbl_name = 'entry'"
        ).fetchall()
        for (name,) in triggers:
            database.execute(f"drop trigger {name}")
        (raw,) = database.execute("select raw from entry where seq = 1").fetchone()
        database.execute(
            "update entry set raw = ? where seq = 1", (raw[:-1] + bytes([raw[-1] ^ 1]),)
        )
        database.commit()


def test_what_arrived_is_counted_and_dated(published: Path) -> None:
    page = open_page(published, "home")

    assert metrics(page) == {
        "Procedures": "1",
        "Subjects": "1",
        "Events": "813",
        "Telemetry chunks": "10,992",
        "Temperature and flow samples": "0",
        "Log entries read": "2",
    }
    said = text(page)
    assert "RECONSTRUCTED data" in said
    assert "Publication 7, published 2012-01-19 10:00:00 Asia/Tokyo (UTC+09:00)" in said


def test_the_label_of_reconstructed_data_says_nothing_of_a_live_row(tmp_path: Path) -> None:
    tables: Tables = {}
    add_procedure(tables)
    add_procedure(tables, "OR-1", data_origin="LIVE", cohort="CLINICAL")
    publish(tmp_path, tables)

    said = text(open_page(tmp_path, "home"))

    assert "RECONSTRUCTED data (1 of 2 procedures)" in said
    assert "no row is a real person" not in said


def test_each_procedure_is_listed_with_the_address_of_its_page(published: Path) -> None:
    table = open_page(published, "home").dataframe[0].value

    assert list(table["page"]) == ["/procedure?procedure=CRYO-0001"]
    assert list(table["started"]) == ["2012-01-19 10:00:00"]


def test_findings_on_data_quality_are_listed(published: Path) -> None:
    (findings,) = [table.value for table in open_page(published, "home").table]

    assert [as_read(name) for name in findings["Check"]] == ["late events"]
    assert list(findings["Found"]) == ["2"]


def test_an_unharmed_store_is_intact_and_never_called_proved(
    published: Path, audit_url: str, recorder: EventRecorder
) -> None:
    size = recorder.store.head().tree_size

    said = text(open_page(published, "home", audit_url=audit_url))

    assert "intact, no outside anchor" in said
    assert f"all {size} entries were re-hashed" in said
    assert f"The log holds {size} entries, {size - 2} of them newer than this publication." in said
    assert "proved" not in said


def test_a_store_that_continues_another_log_counts_the_entries_of_both(
    published: Path, store_url: str
) -> None:
    with restored(store_url) as before:
        before.continued(pinned_key=before.key.pinned)
        with closing(open_store(store_url)) as store:
            size = store.head().tree_size

        said = text(open_page(published, "home", audit_url=store_url))

    assert f"The log holds {size} entries" in said
    assert f"all {size} entries were re-hashed" in said


def test_a_changed_byte_is_found_and_said_on_every_page(
    published: Path, audit_url: str, tmp_path: Path
) -> None:
    tamper(tmp_path)

    home = open_page(published, "home", audit_url=audit_url)
    procedure = open_page(published, "procedure", audit_url=audit_url, procedure="CRYO-0001")

    assert "broken at seq 1" in text(home)
    assert "intact" not in text(home)
    assert as_read(procedure.error[0].value).startswith("The audit store is broken at seq 1")


def test_a_verdict_is_reached_again_when_asked(
    published: Path, audit_url: str, tmp_path: Path
) -> None:
    page = open_page(published, "home", audit_url=audit_url)
    assert "intact" in text(page)
    tamper(tmp_path)

    page.button[0].click()
    page = again(page, published, audit_url)

    assert "broken at seq 1" in text(page)


def test_a_verdict_on_another_head_is_not_said_of_this_one(
    published: Path, audit_url: str, recorder: EventRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_page(published, "home", audit_url=audit_url)
    recorder.record(Case(2).at(ProcedureStarted, 0))
    monkeypatch.setattr("cryotrail_dashboards.sections.store.CHECKED_UNASKED", 3)

    said = text(open_page(published, "home", audit_url=audit_url))

    assert "not checked" in said
    assert "intact" not in said


def test_a_store_out_of_reach_is_not_checked(published: Path) -> None:
    said = text(open_page(published, "home"))

    assert "not checked" in said
    assert "cannot be read here" in said
    assert "intact" not in said


def test_a_publication_without_procedures_says_so(tmp_path: Path) -> None:
    publish(tmp_path, {})

    page = open_page(tmp_path, "home")

    assert "No procedure has been published yet." in text(page)


def test_a_verdict_names_what_it_can(audit_url: str) -> None:
    check = store_check.check_now(audit_url, store_check.head_of(audit_url))
    whole = check._replace(
        verification=check.verification._replace(result="broken", first_broken_seq=None)
    )

    assert check.words == "intact, no outside anchor"
    assert whole.words == "broken"
