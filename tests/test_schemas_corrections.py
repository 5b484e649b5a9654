"""What holds after amendments and voids, and which corrections change nothing and why."""

import json
from hashlib import sha256
from itertools import permutations

import pytest
from event_samples import freeze_started, header, sample_id

from cryotrail_schemas import codec, events
from cryotrail_schemas.corrections import RecordedEvent, current_view
from cryotrail_schemas.json_form import event_to_json

REASON = events.CorrectionReason.ENTERED_IN_ERROR


def recorded(event, seq):
    content_hash = sha256(codec.encode(event)).digest()
    return RecordedEvent(seq, event.header.event_id, event.TYPE, event_to_json(event), content_hash)


ORIGINAL = recorded(freeze_started(header=header("original"), flow_pct=80.0), 0)


def change(path, value, supersedes=None):
    return events.FieldChange(
        path=path,
        value_json=None if value is ... else json.dumps(value),
        supersedes_event_id=supersedes and sample_id(supersedes),
    )


def amend(name, seq, *changes, target="original", seen=None, **header_changes):
    return recorded(
        events.EventAmended(
            header=header(name, **header_changes),
            target_event_id=sample_id(target),
            target_content_hash=seen,
            changes=changes,
            reason=REASON,
        ),
        seq,
    )


def void(name, seq, target="original", seen=None, **header_changes):
    return recorded(
        events.EventVoided(
            header=header(name, **header_changes),
            target_event_id=sample_id(target),
            target_content_hash=seen,
            reason=REASON,
        ),
        seq,
    )


def the_event(*corrections):
    view = current_view([ORIGINAL, *corrections])
    assert len(view.events) == 1
    return view.events[0]


def reasons(*corrections):
    view = current_view([ORIGINAL, *corrections])
    return [(item.event_id, item.path, item.reason) for item in view.unapplied]


def test_without_corrections_the_original_stands():
    event = the_event()

    assert event.original is ORIGINAL
    assert event.event_json == ORIGINAL.event_json
    assert (event.voided, event.amended_paths, event.concurrent_paths) == (False, (), ())


def test_an_amendment_gives_the_value_and_leaves_the_original():
    before = json.dumps(ORIGINAL.event_json)

    event = the_event(amend("a", 1, change("/flow_pct", 60.0), change("/header/device_id", "c2")))

    assert event.event_json["flow_pct"] == 60.0
    assert event.event_json["header"]["device_id"] == "c2"
    assert event.amended_paths == ("/flow_pct", "/header/device_id")
    assert json.dumps(event.original.event_json) == before


def test_a_field_may_be_amended_to_null_and_from_null():
    assert the_event(amend("a", 1, change("/flow_pct", None))).event_json["flow_pct"] is None
    assert the_event(amend("a", 1, change("/header/lesion_id", str(sample_id("l"))))).event_json[
        "header"
    ]["lesion_id"] == str(sample_id("l"))


def test_per_path_the_highest_seq_is_in_force():
    first = amend("a", 1, change("/flow_pct", 60.0), change("/probe_id", "2"))
    second = amend("b", 2, change("/flow_pct", 50.0, supersedes="a"))

    for order in permutations([ORIGINAL, first, second]):
        event = current_view(order).events[0]

        assert (event.event_json["flow_pct"], event.event_json["probe_id"]) == (50.0, "2")
        assert event.concurrent_paths == ()


def test_two_that_supersede_the_same_value_are_concurrent():
    doctor = amend("a", 1, change("/flow_pct", 60.0), change("/probe_id", "2"))
    nurse = amend("b", 2, change("/flow_pct", 50.0))

    event = the_event(doctor, nurse)

    assert event.event_json["flow_pct"] == 50.0
    assert event.concurrent_paths == ("/flow_pct",)


def test_two_that_supersede_the_same_amendment_are_concurrent():
    first = amend("a", 1, change("/flow_pct", 60.0))
    others = [
        amend(n, s, change("/flow_pct", 1.0, supersedes="a")) for n, s in (("b", 2), ("c", 3))
    ]

    assert the_event(first, *others).concurrent_paths == ("/flow_pct",)


def test_one_amendment_that_names_a_path_twice_is_not_concurrent_with_itself():
    event = the_event(amend("a", 1, change("/flow_pct", 60.0), change("/flow_pct", 50.0)))

    assert (event.event_json["flow_pct"], event.concurrent_paths) == (50.0, ())


def test_a_void_of_an_amendment_takes_it_back():
    first = amend("a", 1, change("/flow_pct", 60.0))
    second = amend("b", 2, change("/flow_pct", 50.0))

    event = the_event(first, second, void("v", 3, target="b"))

    assert event.event_json["flow_pct"] == 60.0
    assert event.concurrent_paths == ()
    assert not event.voided


def test_every_event_that_is_taken_back_is_named():
    chain = [void("v", 1), void("w", 2, target="v"), void("x", 3, target="w")]
    taken_back = [amend("a", 4, change("/flow_pct", 60.0)), void("y", 5, target="a")]

    view = current_view([ORIGINAL, *chain, *taken_back])

    assert view.voided_ids == {sample_id(name) for name in ("original", "w", "a")}


def test_a_voided_event_is_still_there_and_does_not_count():
    view = current_view([ORIGINAL, void("v", 1)])

    assert view.events[0].voided
    assert list(view.in_force()) == []


@pytest.mark.parametrize(("depth", "voided"), [(1, True), (2, False), (3, True), (4, False)])
def test_a_void_of_a_void_restores(depth, voided):
    chain = [void("v1", 1)] + [void(f"v{n}", n, target=f"v{n - 1}") for n in range(2, depth + 1)]

    assert the_event(*reversed(chain)).voided is voided


def test_a_chain_of_a_thousand_voids_is_resolved():
    chain = [void("v1", 1)] + [void(f"v{n}", n, target=f"v{n - 1}") for n in range(2, 1001)]

    assert not the_event(*chain).voided


def test_two_voids_of_one_event_are_needed_to_be_taken_back_both():
    both = [void("v", 1), void("w", 2)]

    assert the_event(*both, void("x", 3, target="v")).voided
    assert not the_event(*both, void("x", 3, target="v"), void("y", 4, target="w")).voided


def test_voids_in_a_circle_change_nothing():
    circle = [void("v", 1, target="w"), void("w", 2, target="v")]

    assert reasons(*circle) == [
        (sample_id("v"), None, "circular"),
        (sample_id("w"), None, "circular"),
    ]


def test_a_circle_that_is_broken_from_outside_is_decided():
    circle = [void("v", 1, target="w"), void("w", 2, target="v")]
    hit = amend("a", 3, change("/flow_pct", 1.0))

    view = current_view([ORIGINAL, *circle, void("x", 4, target="v"), hit])

    assert view.unapplied == ()
    assert view.voided_ids == {sample_id("v")}


def test_a_void_of_itself_that_is_voided_from_outside_is_decided():
    view = current_view([ORIGINAL, void("v", 1, target="v"), void("x", 2, target="v")])

    assert view.unapplied == ()
    assert view.voided_ids == {sample_id("v")}


def test_a_correction_waits_for_its_target():
    early = amend("a", 1, change("/flow_pct", 60.0), target="late")
    late = recorded(freeze_started(header=header("late")), 2)

    waiting = current_view([ORIGINAL, early])
    arrived = current_view([ORIGINAL, early, late])

    assert [item.reason for item in waiting.unapplied] == ["target_missing"]
    assert arrived.unapplied == ()
    assert arrived.events[1].event_json["flow_pct"] == 60.0


@pytest.mark.parametrize("correct", [amend, void])
def test_a_correction_of_another_content_is_not_applied(correct):
    changes = (change("/flow_pct", 60.0),) if correct is amend else ()

    right = correct("c", 1, *changes, seen=ORIGINAL.content_hash)
    wrong = correct("c", 1, *changes, seen=b"\0" * 32)

    assert reasons(right) == []
    assert reasons(wrong) == [(sample_id("c"), None, "hash_mismatch")]
    assert the_event(wrong).event_json == ORIGINAL.event_json
    assert not the_event(wrong).voided


def test_a_correction_from_another_procedure_is_not_applied():
    stranger = void("v", 1, procedure_id=sample_id("other"))

    assert reasons(stranger) == [(sample_id("v"), None, "other_procedure")]
    assert not the_event(stranger).voided


@pytest.mark.parametrize("make", [lambda: amend("a", 1), lambda: void("a", 1)])
def test_an_amendment_targets_an_original(make):
    second = amend("b", 2, change("/reason_text", "x"), target="a")

    assert (sample_id("b"), None, "targets_correction") in reasons(make(), second)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("/depth_mm", 3.0, "bad_path"),
        ("/header/nurse", "x", "bad_path"),
        ("/header/event_id", str(sample_id("x")), "bad_path"),
        ("/header/procedure_id", str(sample_id("x")), "bad_path"),
        ("/header", {}, "bad_path"),
        ("/type", "ThawStarted", "bad_path"),
        ("", {}, "bad_path"),
        ("flow_pct", 1.0, "bad_path"),
        ("/probe_id/0", "x", "bad_path"),
        ("/flow_pct", "fast", "bad_value"),
        ("/cycle_no", 0, "bad_value"),
        ("/cycle_no", None, "bad_value"),
        ("/header/occurred_at", "2026-11-22T10:00:00", "bad_value"),
        ("/flow_pct", ..., "encrypted"),
    ],
)
def test_a_change_that_cannot_be_applied_leaves_the_others_in_force(path, value, reason):
    correction = amend("a", 1, change(path, value), change("/probe_id", "7"))

    assert reasons(correction) == [(sample_id("a"), path, reason)]
    assert the_event(correction).event_json == {**ORIGINAL.event_json, "probe_id": "7"}


@pytest.mark.parametrize(
    "text", ["sixty", "NaN", "9" * 5000, "[" * 100_000, "[" * 500 + "]" * 500], ids=len
)
def test_a_value_that_no_field_can_hold_is_not_applied_whoever_published_it(text):
    correction = amend("a", 1, change("/flow_pct", 60.0), change("/probe_id", "7"))
    unread, other = correction.event_json["changes"]
    changes = [{**unread, "value_json": text}, other]
    foreign = correction._replace(event_json={**correction.event_json, "changes": changes})

    assert reasons(foreign) == [(sample_id("a"), "/flow_pct", "bad_value")]
    assert the_event(foreign).event_json == {**ORIGINAL.event_json, "probe_id": "7"}


@pytest.mark.parametrize(
    "time", ["20261122T102400Z", "2026-W47-7T19:24+09", "2026-11-22T10:24:00,0Z"]
)
def test_an_amended_value_is_written_as_every_event_is(time):
    event = the_event(amend("a", 1, change("/header/occurred_at", time)))

    assert event.event_json["header"]["occurred_at"] == "2026-11-22T10:24:00Z"


def test_an_item_of_an_array_may_be_amended():
    gradings = tuple(
        events.Grading(
            scale=events.GradingScale.CTCAE_5,
            scale_version="5.0",
            grade=grade,
            graded_on=header().occurred_at.date(),
        )
        for grade in ("1", "2")
    )
    complication = events.ComplicationReported(
        header=header("original"),
        complication_id=sample_id("complication"),
        kind=events.ComplicationKind.PAIN,
        structure=events.Structure.NONE,
        relation=events.Relation.POSSIBLE,
        gradings=gradings,
    )
    items = [recorded(complication, 0), amend("a", 1, change("/gradings/1/grade", "3"))]

    view = current_view(items)
    day = current_view([*items, amend("d", 4, change("/gradings/0/graded_on", "20261122"))])
    written_day = day.events[0].event_json["gradings"][0]["graded_on"]
    shorter = current_view([*items, amend("b", 2, change("/gradings", []))])
    again = amend("c", 3, change("/gradings/1/grade", "4"))
    gone = current_view([*items[:1], amend("b", 2, change("/gradings", [])), again])

    assert [g["grade"] for g in view.events[0].event_json["gradings"]] == ["1", "3"]
    assert written_day == "2026-11-22"
    assert shorter.events[0].event_json["gradings"] == []
    assert gone.events[0].event_json["gradings"] == []
    assert [(item.path, item.reason) for item in gone.unapplied] == [
        ("/gradings/1/grade", "bad_path")
    ]


def test_originals_come_in_the_order_of_the_store():
    later = recorded(freeze_started(header=header("later")), 9)

    view = current_view([void("v", 3, target="later"), later, ORIGINAL])

    assert [event.original.seq for event in view.events] == [0, 9]
    assert [event.voided for event in view.events] == [False, True]


def test_an_event_of_a_type_that_is_not_known_may_be_amended():
    stranger = ORIGINAL._replace(type="SomethingNew")

    view = current_view([stranger, amend("a", 1, change("/anything", 1))])

    assert view.events[0].event_json["anything"] == 1
