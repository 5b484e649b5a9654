"""A line that is no event is refused with its number, the field and the reason; the rest go on."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from room_events import chunk, freeze

from cryotrail_producers.encoding import outbox_entry
from cryotrail_producers.json_lines import AcceptedLine, RefusedLine, read_lines
from cryotrail_schemas.events import Event
from cryotrail_schemas.json_form import event_to_json
from cryotrail_schemas.topics import MAX_MESSAGE_BYTES

Line = dict[str, Any]


def line(type_name: str = "FreezeStarted", **fields: Any) -> Line:
    """A whole event as JSON; ``fields`` are set, or left out when they are None."""
    event = event_to_json(freeze(uuid4()))
    return {name: value for name, value in ({**event, "type": type_name} | fields).items()
            if value is not None}  # fmt: skip


def with_header(**fields: Any) -> Line:
    given = line()
    given["header"] = {
        name: value for name, value in (given["header"] | fields).items() if value is not None
    }
    return given


def lab_result(analyte: str, value: float, unit_ucum: str) -> Line:
    return {
        "type": "LabResultRecorded",
        "header": line()["header"],
        "analyte": analyte,
        "value": value,
        "unit_ucum": unit_ucum,
        "interpretation": "NORMAL",
    }


def inserted(**fields: Any) -> Line:
    return {"type": "ProbeInserted", "header": line()["header"], "probe_id": "1", "probe_no": 1} | (
        fields
    )


def read(*lines: Line | bytes) -> list[AcceptedLine | RefusedLine]:
    raw = [given if isinstance(given, bytes) else json.dumps(given).encode() for given in lines]
    return list(read_lines((text + b"\n" for text in raw), _check))


def _check(event: Event) -> None:
    outbox_entry(event, source="")


def problems(given: Line | bytes) -> list[tuple[str, str]]:
    (refused,) = read(given)
    assert isinstance(refused, RefusedLine)
    return [(problem.path, problem.reason) for problem in refused.problems]


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        (inserted(depth_cm=6.0), "depth_cm", "depth_mm"),
        (lab_result("INR", 1.1, "s"), "unit_ucum", "INR"),
        (line("FreezeBegun"), "type", "FreezeBegun"),
        (with_header(occurred_at="2026-11-22T10:24:00"), "header.occurred_at", "zone"),
        (line(cycle_no=None), "cycle_no", "missing"),
        (with_header(subject_id=None), "header.subject_id", "missing"),
        (line(cycle_no=0), "cycle_no", "1"),
        (line(producer_seq=4), "producer_seq", "unknown"),
        (with_header(procedure_id="CRYO-0001"), "header.procedure_id", "UUID"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_that_breaks_the_contract_names_the_field(
    given: Line, path: str, reason: str
) -> None:
    ((found_path, found_reason),) = problems(given)
    assert found_path == path
    assert reason in found_reason


def test_all_problems_of_a_line_are_told_at_once() -> None:
    given = with_header(occurred_at="2026-11-22T10:24:00") | {"cycle_no": "one", "depth_mm": 3}
    assert {path for path, _ in problems(given)} == {"header.occurred_at", "cycle_no", "depth_mm"}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1, 2]", "an event is a JSON object"),
        (b'"FreezeStarted"', "an event is a JSON object"),
        (b'{"type": "\xff"}', "not UTF-8: byte 11"),
        (b'{"type": NaN}', "NaN is no JSON number"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5_000, "not an event: Exceeds the limit"),
        (b'{"type": "A", "type": "B"}', "given twice"),
    ],
)
def test_a_line_that_is_no_json_object_says_so(raw: bytes, reason: str) -> None:
    ((_, found),) = problems(raw)
    assert reason in found


def test_an_event_too_large_for_a_record_is_refused_by_its_line() -> None:
    ((_, reason),) = problems(line(probe_id="1" * MAX_MESSAGE_BYTES))
    assert "at most" in reason


def test_line_numbers_count_blank_lines_and_good_lines_go_on() -> None:
    found = read(line(), b"", b"   ", line(cycle_no=None), b"\xef\xbb\xbf{", line())
    assert [(type(one).__name__, one.line_no) for one in found] == [
        ("AcceptedLine", 1),
        ("RefusedLine", 4),
        ("RefusedLine", 5),
        ("AcceptedLine", 6),
    ]


def test_a_byte_order_mark_before_the_first_line_is_passed_over() -> None:
    found = read(b"\xef\xbb\xbf" + json.dumps(line()).encode())
    assert isinstance(found[0], AcceptedLine)


def test_an_event_keeps_its_id_or_gets_a_new_one() -> None:
    event_id = uuid4()
    given = [with_header(event_id=str(event_id)), with_header(event_id=None)]
    kept, made = (one.event.header.event_id for one in read(*given))  # type: ignore[union-attr]
    assert kept == event_id
    assert isinstance(made, UUID) and made.version == 7


def test_what_was_written_as_json_is_read_back_the_same() -> None:
    events = [freeze(uuid4()), chunk(uuid4())]
    found = read(*(event_to_json(event) for event in events))
    assert [one.event for one in found if isinstance(one, AcceptedLine)] == events
