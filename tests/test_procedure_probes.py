"""The state machine of a probe: an ordinary course has no deviation, and each label fires."""

import pytest
from event_samples import header, sample_id

from cryotrail_schemas import events
from cryotrail_schemas.procedure import ProbeState, fold

PLANNED = events.StopReason.PLANNED
PASSIVE = events.ThawMode.PASSIVE


def inserted(minute, probe="1"):
    return events.ProbeInserted(
        header=header(f"in {probe} {minute}", minute=minute), probe_id=probe, probe_no=1
    )


def anchored(minute, probe="1"):
    return events.ProbeAnchored(header=header(f"anchor {minute}", minute=minute), probe_id=probe)


def checked(minute, probe="1"):
    return events.ProbePositionChecked(
        header=header(f"check {minute}", minute=minute),
        probe_id=probe,
        outcome=events.PositionOutcome.CONFIRMED,
    )


def freeze(minute, cycle=1, probe="1"):
    return events.FreezeStarted(
        header=header(f"freeze {probe} {minute}", minute=minute), probe_id=probe, cycle_no=cycle
    )


def freeze_stop(minute, cycle=1, probe="1"):
    return events.FreezeStopped(
        header=header(f"freeze stop {probe} {minute}", minute=minute),
        probe_id=probe,
        cycle_no=cycle,
        stop_reason=PLANNED,
    )


def flow(minute, probe="1"):
    return events.FlowChanged(
        header=header(f"flow {minute}", minute=minute),
        probe_id=probe,
        flow_pct=50.0,
        reason=PLANNED,
    )


def thaw(minute, cycle=1, probe="1"):
    return events.ThawStarted(
        header=header(f"thaw {probe} {minute}", minute=minute),
        probe_id=probe,
        cycle_no=cycle,
        mode=PASSIVE,
    )


def thaw_stop(minute, cycle=1, probe="1"):
    return events.ThawStopped(
        header=header(f"thaw stop {probe} {minute}", minute=minute), probe_id=probe, cycle_no=cycle
    )


def removed(minute, probe="1"):
    return events.ProbeRemoved(
        header=header(f"out {probe} {minute}", minute=minute), probe_id=probe
    )


def tract(minute, probe="1"):
    return events.TractChecked(
        header=header(f"tract {minute}", minute=minute), probe_id=probe, bleeding=True
    )


def haemostasis(minute, probe="1"):
    return events.HaemostasisApplied(
        header=header(f"haemostasis {minute}", minute=minute), probe_id=probe
    )


def cycle(begin, number, probe="1"):
    """Twenty minutes of freeze and ten of thaw, each stop at the instant of the next start."""
    return [
        freeze(begin, number, probe),
        freeze_stop(begin + 20, number, probe),
        thaw(begin + 20, number, probe),
        thaw_stop(begin + 30, number, probe),
    ]


def course(probe="1"):
    return [
        inserted(1, probe),
        checked(2, probe),
        anchored(3, probe),
        *cycle(10, 1, probe),
        *cycle(40, 2, probe),
        removed(75, probe),
        tract(76, probe),
        haemostasis(77, probe),
    ]


def ended(minute=90):
    return [
        events.ProcedureScheduled(
            header=header("scheduled", minute=-60),
            procedure_label="CRYO-0001",
            protocol_id="seed-2016",
            sex=events.Sex.UNKNOWN,
            intent=events.Intent.UNKNOWN,
            histology=events.Histology.UNKNOWN,
            origin=events.LesionOrigin.UNKNOWN,
            tissue=events.Tissue.BONE,
            site=events.Site.UNKNOWN,
            side=events.Side.UNKNOWN,
            bone_matrix=events.BoneMatrix.UNKNOWN,
            nearest_structure=events.Structure.UNKNOWN,
        ),
        events.ProcedureStarted(
            header=header("started"), patient_position=events.Position.PRONE, gas=events.Gas.UNKNOWN
        ),
        events.ProcedureEnded(
            header=header("ended", minute=minute), status=events.EndStatus.COMPLETED
        ),
    ]


def deviations(*given):
    found = fold([*ended(), *given]).deviations
    return [(item.label, item.probe_id, item.cycle_no) for item in found]


def test_an_ordinary_course_has_no_deviation():
    view = fold([*ended(), *course("1"), *course("2")])

    assert view.deviations == ()
    assert {probe.state for probe in view.probes.values()} == {ProbeState.OUT}
    assert view.probes["1"].last_cycle_no == 2


def test_probes_may_overlap_and_events_come_in_any_order_of_time():
    mixed = sorted([*course("1"), *course("2")], key=lambda event: event.TYPE)
    in_order = sorted(mixed, key=lambda event: (event.header.occurred_at, order(event)))

    assert deviations(*in_order) == []


def order(event):
    # The order of one instant is the outbox's, which this test has sorted away: stops come first.
    return event.TYPE not in ("FreezeStopped", "ThawStopped")


def test_the_flow_may_be_changed_while_freezing():
    assert deviations(inserted(1), freeze(2), flow(5), *cycle(2, 1)[1:], removed(40)) == []


def test_a_stop_without_a_start_is_an_orphan():
    assert deviations(inserted(1), freeze_stop(2), thaw_stop(3), removed(4)) == [
        ("orphan_stop", "1", 1),
        ("orphan_stop", "1", 1),
    ]


def test_a_stop_of_another_cycle_is_an_orphan_and_leaves_the_freeze_open():
    found = deviations(inserted(1), freeze(2, 1), freeze_stop(22, 2), removed(30))

    assert found == [("orphan_stop", "1", 2), ("freeze_open", "1", 1)]


def test_a_thaw_stop_of_another_cycle_is_an_orphan_and_leaves_the_thaw_open():
    found = deviations(inserted(1), *cycle(2, 1)[:3], thaw_stop(32, 2), removed(40))

    assert found == [("orphan_stop", "1", 2), ("thaw_open", "1", 1)]


@pytest.mark.parametrize("following", [[removed(30)], [thaw(30), thaw_stop(40), removed(41)]])
def test_a_freeze_that_nothing_stopped_is_open(following):
    found = fold([*ended(), inserted(1), freeze(2), *following]).deviations

    assert [item.label for item in found] == ["freeze_open"]
    assert found[0].event_id == sample_id("freeze 1 2"), "the start is what is left open"


def test_a_freeze_is_open_when_the_next_one_starts():
    assert ("freeze_open", "1", 1) in deviations(inserted(1), freeze(2, 1), *cycle(10, 2))


def test_a_thaw_that_nothing_stopped_is_open():
    parts = [inserted(1), *cycle(2, 1)[:3]]

    assert deviations(*parts, removed(40)) == [("thaw_open", "1", 1)]
    assert deviations(*parts, *cycle(40, 2), removed(80)) == [("thaw_open", "1", 1)]


@pytest.mark.parametrize("following", [[removed(40)], [*cycle(40, 2), removed(80)]])
def test_a_freeze_without_thaw_is_reported(following):
    parts = [inserted(1), freeze(2), freeze_stop(22)]

    assert deviations(*parts, *following) == [("freeze_without_thaw", "1", 1)]


@pytest.mark.parametrize("number", [1, 3, 7])
def test_a_cycle_number_that_is_not_the_next_one_is_skipped(number):
    assert deviations(inserted(1), *cycle(2, 1), *cycle(40, number), removed(80)) == [
        ("cycle_skipped", "1", number)
    ]


def test_a_first_cycle_that_is_not_one_is_skipped():
    assert deviations(inserted(1), *cycle(2, 2), removed(80)) == [("cycle_skipped", "1", 2)]


def test_a_freeze_after_removal_is_reported_and_the_probe_stays_out():
    view = fold([*ended(), inserted(1), removed(2), freeze(3), freeze_stop(23)])

    assert [item.label for item in view.deviations] == ["after_removal", "after_removal"]
    assert view.probes["1"].state is ProbeState.OUT


def test_a_probe_removed_twice_is_reported():
    assert deviations(inserted(1), removed(2), removed(3)) == [("after_removal", "1", None)]


def test_a_probe_that_is_never_removed_is_reported_once_the_procedure_ended():
    running = fold([inserted(1), *cycle(2, 1)])

    assert not any(item.label == "never_removed" for item in running.deviations)
    assert deviations(inserted(1), *cycle(2, 1)) == [("never_removed", "1", None)]


def test_what_is_open_is_no_deviation_while_the_procedure_runs():
    for parts in ([freeze(2)], [freeze(2), freeze_stop(22)], cycle(2, 1)[:3]):
        view = fold([*ended()[:2], inserted(1), *parts])

        assert view.deviations == ()
        assert view.probes["1"].open_cycle_no == 1


def test_a_second_insertion_is_reported():
    while_in = deviations(inserted(1), inserted(2), removed(3))
    after_out = fold([*ended(), inserted(1), removed(2), inserted(3), removed(4)])

    assert while_in == [("second_insertion", "1", None)]
    assert [item.label for item in after_out.deviations] == ["second_insertion"]


def test_an_event_of_a_probe_that_was_not_inserted_is_reported_once():
    assert deviations(*cycle(2, 1), removed(40)) == [("not_inserted", "1", 1)]
    assert deviations(tract(3)) == [("not_inserted", "1", None)]


@pytest.mark.parametrize(
    "odd", [anchored(5), checked(5), tract(5), haemostasis(5)], ids=lambda event: event.TYPE
)
def test_an_event_that_a_freezing_probe_does_not_allow_is_out_of_order(odd):
    found = deviations(inserted(1), freeze(2), odd, *cycle(2, 1)[1:], removed(40))

    assert found == [("out_of_order", "1", None)]


def test_a_flow_change_of_a_probe_that_does_not_freeze_is_out_of_order():
    assert deviations(inserted(1), flow(2), removed(3)) == [("out_of_order", "1", None)]


def test_a_thaw_of_what_was_not_frozen_is_out_of_order():
    assert deviations(inserted(1), thaw(2), thaw_stop(3), removed(4)) == [("out_of_order", "1", 1)]


def test_a_thaw_of_another_cycle_leaves_its_freeze_without_thaw():
    parts = [inserted(1), freeze(2), freeze_stop(22), thaw(22, 2), thaw_stop(32, 2), removed(40)]

    assert deviations(*parts) == [("freeze_without_thaw", "1", 1), ("out_of_order", "1", 2)]


def test_a_haemostasis_of_no_probe_moves_no_probe():
    event = events.HaemostasisApplied(header=header("h", minute=3))

    assert fold([event]).probes == {}


def test_the_fold_never_refuses_any_sequence():
    everything = [
        make(minute) if make in (inserted, removed, tract, flow, anchored) else make(minute, number)
        for minute in range(3)
        for number in (1, 2)
        for make in (inserted, freeze, freeze_stop, thaw, thaw_stop, removed, tract, flow, anchored)
    ]

    fold(everything)
    fold(reversed(everything))
    fold([])
