"""What holds after amendments and voids, and which corrections change nothing and why."""

import json
from hashlib import sha256
from itertools import permutations

import pytest
from event_samples import freeze_started, header, sample_id
from hypothesis import given, settings
from hypothesis import strategies as st

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


def concurrent_values(event):
    return {
        (item.change.path, item.change.value) for item in event.amendments if item.is_concurrent
    }


def test_those_to_decide_between_are_shown_and_what_is_in_force_among_them():
    doctor = amend("a", 1, change("/flow_pct", 60.0), change("/probe_id", "2"))
    nurse = amend("b", 2, change("/flow_pct", 50.0))

    event = the_event(doctor, nurse)

    assert concurrent_values(event) == {("/flow_pct", 60.0), ("/flow_pct", 50.0)}
    assert [(i.change.path, i.change.value, i.is_in_force) for i in event.amendments] == [
        ("/flow_pct", 60.0, False),
        ("/probe_id", "2", True),
        ("/flow_pct", 50.0, True),
    ]


def test_an_amendment_that_supersedes_both_decides():
    rivals = [amend(n, s, change("/flow_pct", float(s))) for n, s in (("a", 1), ("b", 2))]
    both = [change("/flow_pct", 9.0, supersedes=name) for name in "ab"]

    one = the_event(*rivals, amend("c", 3, both[0]))
    decided = the_event(*rivals, amend("c", 3, *both))

    assert concurrent_values(one) == {("/flow_pct", 2.0), ("/flow_pct", 9.0)}
    assert (decided.event_json["flow_pct"], decided.concurrent_paths) == (9.0, ())
    assert concurrent_values(decided) == set()


def test_a_decision_that_is_taken_back_leaves_the_question_open():
    rivals = [amend(n, s, change("/flow_pct", float(s))) for n, s in (("a", 1), ("b", 2))]
    both = [change("/flow_pct", 9.0, supersedes=name) for name in "ab"]

    event = the_event(*rivals, amend("c", 3, *both), void("v", 4, target="c"))

    assert (event.event_json["flow_pct"], event.concurrent_paths) == (2.0, ("/flow_pct",))


def test_who_replaces_an_amendment_knows_what_that_one_replaced_also_after_it_was_taken_back():
    first = amend("a", 1, change("/flow_pct", 1.0))
    second = amend("b", 2, change("/flow_pct", 2.0, supersedes="a"))
    third = amend("c", 3, change("/flow_pct", 3.0, supersedes="b"))

    assert the_event(first, second, third).concurrent_paths == ()
    assert the_event(first, second, third, void("v", 4, target="b")).concurrent_paths == ()


def test_an_amendment_that_arrives_before_what_it_supersedes_is_shown_for_decision():
    newer = amend("b", 1, change("/flow_pct", 2.0, supersedes="a"))
    older = amend("a", 2, change("/flow_pct", 1.0))

    event = the_event(newer, older)

    assert concurrent_values(event) == {("/flow_pct", 1.0), ("/flow_pct", 2.0)}


def test_amendments_that_supersede_each_other_in_a_circle_end():
    circle = [
        amend("a", 1, change("/flow_pct", 1.0, supersedes="b")),
        amend("b", 2, change("/flow_pct", 2.0, supersedes="a")),
    ]

    assert the_event(*circle).event_json["flow_pct"] == 2.0
    assert concurrent_values(the_event(*circle, amend("c", 3, change("/flow_pct", 3.0)))) == {
        ("/flow_pct", value) for value in (1.0, 2.0, 3.0)
    }


@pytest.mark.parametrize("correct", [amend, void])
def test_a_seal_is_neither_voided_nor_amended(correct):
    seal = events.ProcedureSealed(
        header=header("seal"),
        sealed_producer_ids=("outbox-1",),
        event_count=1,
        telemetry_chunk_count=0,
        content_root=b"\1" * 32,
    )
    changes = (change("/event_count", 2),) if correct is amend else ()

    view = current_view([recorded(seal, 0), correct("c", 1, *changes, target="seal")])

    assert [item.reason for item in view.unapplied] == ["targets_seal"]
    assert not view.events[0].voided
    assert view.events[0].event_json["event_count"] == 1


def test_the_verdict_of_each_correction_is_one_word():
    corrections = {
        "APPLIED": amend("a", 1, change("/flow_pct", 1.0)),
        "PARTLY_APPLIED": amend("b", 2, change("/probe_id", "2"), change("/nothing", 1)),
        "BAD_PATH": amend("c", 3, change("/nothing", 1)),
        "WAITING": amend("d", 4, change("/flow_pct", 1.0), target="late"),
        "HASH_MISMATCH": void("e", 5, seen=b"\0" * 32),
        "OTHER_PROCEDURE": void("f", 6, procedure_id=sample_id("other")),
        "TAKEN_BACK": amend("g", 7, change("/flow_pct", 2.0)),
    }

    view = current_view([ORIGINAL, *corrections.values(), void("v", 8, target="g")])

    assert {word: view.verdict(one) for word, one in corrections.items()} == {
        word: word for word in corrections
    }


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


def test_who_replaces_an_array_without_knowing_of_an_item_s_correction_is_shown_beside_it():
    first = events.Grading(
        scale=events.GradingScale.CTCAE_5,
        scale_version="5.0",
        grade="1",
        graded_on=header().occurred_at.date(),
    )
    complication = events.ComplicationReported(
        header=header("original"),
        complication_id=sample_id("complication"),
        kind=events.ComplicationKind.PAIN,
        structure=events.Structure.NONE,
        relation=events.Relation.POSSIBLE,
        gradings=(first,),
    )
    item = amend("a", 1, change("/gradings/0/grade", "3"))

    unknowing = current_view(
        [recorded(complication, 0), item, amend("b", 2, change("/gradings", []))]
    )
    knowing = current_view(
        [recorded(complication, 0), item, amend("b", 2, change("/gradings", [], supersedes="a"))]
    )

    assert unknowing.events[0].concurrent_paths == ("/gradings/0/grade",)
    assert unknowing.events[0].amended_paths == ("/gradings",)
    assert knowing.events[0].concurrent_paths == ()


@st.composite
def amendments_of_one_value(draw):
    """Amendments of one field by their number, what each supersedes, and which are taken back."""
    length = draw(st.integers(1, 7))
    numbers = st.integers(1, length)
    superseded = [draw(st.lists(numbers, max_size=2)) for _ in range(length)]
    return superseded, draw(st.sets(numbers))


@settings(max_examples=150, deadline=None)
@given(amendments_of_one_value(), st.randoms(use_true_random=False))
def test_a_value_is_undecided_while_the_one_in_force_does_not_lead_to_all_others(given, order):
    superseded, taken_back = given
    amendments = [
        amend(f"a{number}", number, *(change("/flow_pct", float(number), f"a{s}" if s else None)
                                      for s in seen or [0]))
        for number, seen in enumerate(superseded, 1)
    ]  # fmt: skip
    voids = [void(f"v{n}", 100 + n, target=f"a{n}") for n in sorted(taken_back)]
    recorded_events = [ORIGINAL, *amendments, *voids]
    # Reachability by squaring, where the code walks.
    leads_to = {n: {n, *seen} for n, seen in enumerate(superseded, 1)}
    for _ in superseded:
        leads_to = {n: set().union(*(leads_to[m] for m in to)) for n, to in leads_to.items()}
    in_force = leads_to.keys() - taken_back

    view = current_view(recorded_events)
    order.shuffle(recorded_events)

    assert current_view(recorded_events) == view
    (event,) = view.events
    undecided = bool(in_force) and bool(in_force - leads_to[max(in_force)])
    assert event.concurrent_paths == (("/flow_pct",) if undecided else ())
    shown = {item.change.value for item in event.amendments if item.is_concurrent}
    assert (float(max(in_force)) in shown) if undecided else shown == set()
    assert event.event_json["flow_pct"] == (float(max(in_force)) if in_force else 80.0)


def test_originals_come_in_the_order_of_the_store():
    later = recorded(freeze_started(header=header("later")), 9)

    view = current_view([void("v", 3, target="later"), later, ORIGINAL])

    assert [event.original.seq for event in view.events] == [0, 9]
    assert [event.voided for event in view.events] == [False, True]


def test_an_event_of_a_type_that_is_not_known_may_be_amended():
    stranger = ORIGINAL._replace(type="SomethingNew")

    view = current_view([stranger, amend("a", 1, change("/anything", 1))])

    assert view.events[0].event_json["anything"] == 1
