"""What was known then: the log at an earlier size answers as it answered when it had that size."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from uuid import UUID

import pytest
from handmade_case import Case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_events import EventRecorder

from cryotrail.main import main
from cryotrail_audit.as_of import KnownEvent, known_event, resolved_size
from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import Entry
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_schemas.events import Event, EventAmended, FreezeStarted

_NUMBERS = count(1)


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it is written there."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def all_entries(store: AuditStore) -> list[Entry]:
    return [entry for entries in store.entries() for entry in entries]


def known(store: AuditStore, event: Event, size: int | None = None) -> KnownEvent:
    found = known_event(store, event.header.event_id, size or store.head().tree_size)
    assert found is not None
    return found


def test_a_time_is_resolved_to_the_newest_batch_that_was_recorded_by_then(
    audit_store: AuditStore,
) -> None:
    case = Case(1)
    recorder = EventRecorder(audit_store)
    ends = []
    for event in case.whole()[:3]:
        time.sleep(0.002)
        recorder.record(event, case.void(event))
        ends.append(audit_store.head())

    for end in ends:
        assert end.recorded_us is not None
        assert audit_store.size_as_of(end.recorded_us) == end.tree_size
        assert audit_store.size_as_of(end.recorded_us - 1) < end.tree_size
    assert audit_store.size_as_of(0) == 0
    assert audit_store.size_as_of(2**62) == ends[-1].tree_size


def test_the_head_of_every_size_is_that_of_a_log_which_ends_there(audit_store: AuditStore) -> None:
    recorder = EventRecorder(audit_store)
    events = Case(1).whole()
    for first in range(0, len(events), 4):
        recorder.record(*events[first : first + 4])
    entries = all_entries(audit_store)

    for size in range(len(entries) + 1):
        head = audit_store.head(size)

        assert (head.tree_size, head.root) == (
            size, naive_root([entry.leaf_hash for entry in entries[:size]]),
        )  # fmt: skip
        assert head.recorded_us == (entries[size - 1].recorded_us if size else None)
    assert audit_store.head(len(entries)) == audit_store.head()
    for size in (-1, len(entries) + 1):
        with pytest.raises(AuditError, match="never had"):
            audit_store.head(size)


@st.composite
def arrivals(draw: st.DrawFn) -> list[Event]:
    """Events of one procedure with corrections of them and of each other, in any order."""
    case = Case(next(_NUMBERS))
    events: list[Event] = [
        case.at(FreezeStarted, minute, probe_id="1", cycle_no=1, flow_pct=50.0)
        for minute in range(draw(st.integers(1, 3)))
    ]
    for _ in range(draw(st.integers(1, 8))):
        target = draw(st.sampled_from(events))
        if draw(st.booleans()):
            events.append(case.void(target))
            continue
        others = [event for event in events if isinstance(event, EventAmended)]
        superseded = draw(st.sampled_from([None, *others]))
        events.append(
            case.amend(
                target,
                draw(st.sampled_from(["/flow_pct", "/cycle_no", "/no_such"])),
                draw(st.sampled_from([1, 7])),
                supersedes=superseded,
                checked=draw(st.booleans()),
            )
        )
    return draw(st.permutations(events))


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(arriving=arrivals(), data=st.data())
def test_as_of_each_size_equals_what_was_answered_at_that_size(
    audit_store: AuditStore, arriving: list[Event], data: st.DataObject
) -> None:
    # One store for all examples: it only grows, and what another example recorded is not ours.
    recorder = EventRecorder(audit_store, first_offset=next(_NUMBERS) * 1000)
    answered = {}
    at = 0
    while at < len(arriving):
        batch = arriving[at : at + data.draw(st.integers(1, 3))]
        at += len(batch)
        recorder.record(*batch)
        size = audit_store.head().tree_size
        ids = [event.header.event_id for event in arriving]
        answered[size] = [known_event(audit_store, event_id, size) for event_id in ids]

    for size, answers in answered.items():
        assert [
            known_event(audit_store, event.header.event_id, size) for event in arriving
        ] == answers


def test_within_a_batch_only_what_stands_before_is_known(audit_store: AuditStore) -> None:
    case = Case(1)
    freeze = case.at(FreezeStarted, 1, probe_id="1", cycle_no=1, flow_pct=50.0)
    EventRecorder(audit_store).record(freeze, case.amend(freeze, "/flow_pct", 60.0))
    seq = known(audit_store, freeze).entry.seq

    then = known(audit_store, freeze, seq + 1)
    now = known(audit_store, freeze)

    assert then.current is not None and now.current is not None
    assert (then.current.event_json["flow_pct"], then.corrections) == (50.0, ())
    assert now.current.event_json["flow_pct"] == 60.0
    assert [item.verdict for item in now.corrections] == ["APPLIED"]
    assert now.event_json == then.event_json
    assert known_event(audit_store, freeze.header.event_id, seq) is None


def test_verdicts_are_those_of_the_moment(audit_store: AuditStore) -> None:
    case, other = Case(1), Case(2)
    freeze = case.at(FreezeStarted, 1, probe_id="1", cycle_no=1, flow_pct=50.0)
    void = case.void(freeze)
    stranger = other.void(freeze)
    recorder = EventRecorder(audit_store)

    recorder.record(void, stranger)
    waiting = known(audit_store, void), known(audit_store, stranger)
    recorder.record(freeze)
    applied = known(audit_store, void), known(audit_store, stranger)
    recorder.record(case.void(void))

    assert [item.verdict for item in waiting] == ["WAITING", "WAITING"]
    assert [item.verdict for item in applied] == ["APPLIED", "OTHER_PROCEDURE"]
    assert known(audit_store, void).verdict == "TAKEN_BACK"
    event = known(audit_store, freeze)
    assert event.current is not None and not event.current.voided
    assert [item.verdict for item in event.corrections] == ["TAKEN_BACK", "APPLIED"]


def test_an_entry_number_beyond_the_log_is_refused(audit_store: AuditStore) -> None:
    EventRecorder(audit_store).record(*Case(1).whole()[:1])
    size = audit_store.head().tree_size

    assert resolved_size(audit_store) == size
    assert resolved_size(audit_store, seq=size - 1) == size
    with pytest.raises(AuditError, match=f"the log has {size} entries"):
        resolved_size(audit_store, seq=size)


def test_of_a_time_outside_the_log_plain_words_are_said(
    audit_store: AuditStore,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    (event,) = Case(1).whole()[:1]
    EventRecorder(audit_store).record(event)
    show = ["audit", "show", str(event.header.event_id), "--as-of"]

    assert main([*show, "2999-01-01T00:00:00Z"]) == 0
    assert "known until now" in capsys.readouterr().err
    assert main([*show, "1999-01-01T00:00:00Z"]) == 1
    assert "the log began at 20" in capsys.readouterr().err


def test_the_entries_of_a_procedure_come_by_their_number_in_it(audit_store: AuditStore) -> None:
    one, other = Case(1), Case(2)
    recorder = EventRecorder(audit_store)
    for pair in zip(one.whole(), other.whole(), strict=True):
        recorder.record(*pair)
    of_one = [e for e in all_entries(audit_store) if e.procedure_id == one.procedure_id.bytes]

    found = list(audit_store.procedure_entries(one.procedure_id, batch_rows=4))
    before = list(audit_store.procedure_entries(one.procedure_id, of_one[4].seq))

    assert [len(entries) for entries in found] == [4, 4, len(of_one) - 8]
    assert [entry for entries in found for entry in entries] == of_one
    assert before == [of_one[:5]]


class TestShow:
    @pytest.fixture
    def amended(
        self, store_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> tuple[UUID, datetime, int]:
        """An event, amended a moment later by two who did not know of each other."""
        monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
        store = open_store(store_url)
        recorder = EventRecorder(store)
        case = Case(1)
        freeze = case.at(FreezeStarted, 1, probe_id="1", cycle_no=1, flow_pct=50.0)
        recorder.record(freeze)
        head = store.head()
        time.sleep(0.002)
        recorder.record(
            case.amend(freeze, "/flow_pct", 60.0), case.amend(freeze, "/flow_pct", 70.0)
        )
        store.close()
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        recorded = epoch + timedelta(microseconds=head.recorded_us or 0)
        return freeze.header.event_id, recorded, head.tree_size - 1

    def test_original_and_current_stand_side_by_side(
        self, amended: tuple[UUID, datetime, int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        event_id, _, _ = amended

        assert main(["audit", "show", str(event_id), "--json"]) == 0

        shown = json.loads(capsys.readouterr().out)
        assert shown["event"]["flow_pct"] == 50.0
        assert shown["current"]["event"]["flow_pct"] == 70.0
        assert shown["current"]["amended_paths"] == ["/flow_pct"]
        assert shown["current"]["concurrent_paths"] == ["/flow_pct"]
        assert [
            (c["verdict"], c["amendments"][0]["value"], c["amendments"][0]["is_concurrent"])
            for c in shown["corrections"]
        ] == [("APPLIED", 60.0, True), ("APPLIED", 70.0, True)]

    @pytest.mark.parametrize("by", ["time", "seq"])
    def test_as_of_before_the_amendments_nobody_knew_of_them(
        self, amended: tuple[UUID, datetime, int], capsys: pytest.CaptureFixture[str], by: str
    ) -> None:
        event_id, recorded, seq = amended
        when = {"time": ["--as-of", recorded.isoformat()], "seq": ["--as-of-seq", str(seq)]}[by]

        assert main(["audit", "show", str(event_id), *when]) == 0

        shown = json.loads(capsys.readouterr().out)
        assert shown["corrections"] == []
        assert shown["current"]["event"] == shown["event"]
        assert shown["known"]["last_seq"] == seq

    def test_what_was_not_recorded_yet_exits_1(
        self, amended: tuple[UUID, datetime, int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        event_id, recorded, seq = amended
        before = (recorded - timedelta(microseconds=1)).isoformat()

        for when in (["--as-of", before], ["--as-of-seq", str(seq - 1)]):
            assert main(["audit", "show", str(event_id), *when]) == 1
            assert "no entry has the event id" in capsys.readouterr().err
        assert main(["audit", "show", str(event_id), "--as-of-seq", "999"]) == 1

    @pytest.mark.parametrize(
        "when", [["--as-of", "2026-11-22T10:24:00"], ["--as-of", "noon"], ["--as-of-seq", "-1"]]
    )
    def test_no_time_with_a_zone_is_wrong_usage(
        self, amended: tuple[UUID, datetime, int], when: list[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["audit", "show", str(amended[0]), *when])

        assert ended.value.code == 2
