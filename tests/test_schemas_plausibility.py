"""Implausible values are warned of and never refused."""

from decimal import Decimal

import pytest
from event_samples import freeze_started, header, telemetry_chunk

from cryotrail_schemas import codec, events
from cryotrail_schemas.plausibility import range_of, warnings


def warned(event, **context):
    return [problem.path for problem in warnings(event, **context)]


def test_an_ordinary_event_is_not_warned_of():
    assert warnings(freeze_started(flow_pct=100.0)) == ()
    assert warnings(telemetry_chunk()) == ()


@pytest.mark.parametrize("flow_pct", [-0.1, 100.1])
def test_a_value_outside_its_range_is_warned_of_and_encoded(flow_pct):
    event = freeze_started(flow_pct=flow_pct)

    assert warnings(event) == (("flow_pct", f"{flow_pct} is outside the plausible 0..100 %"),)
    assert codec.encode(event)


@pytest.mark.parametrize("flow_pct", [0.0, 100.0])
def test_the_ends_of_a_range_are_plausible(flow_pct):
    assert warnings(freeze_started(flow_pct=flow_pct)) == ()


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (events.ProbeInserted(header=header(), probe_id="1", probe_no=41), "probe_no"),
        (events.ProbeInserted(header=header(), probe_id="1", probe_no=1, gauge=7), "gauge"),
        (events.ProbeInserted(header=header(), probe_id="1", probe_no=1, depth_mm=401), "depth_mm"),
        (events.IceBallChecked(header=header(), cycle_no=1, margin_caudal_mm=-51), None),
        (events.ThawStopped(header=header(), probe_id="1", cycle_no=1, tip_max_cel=61), None),
        (
            events.CtAcquired(
                header=header(), phase=events.CtPhase.SURVEY, dlp_mgycm=Decimal("15000.01")
            ),
            "dlp_mgycm",
        ),
    ],
)
def test_each_kind_of_value_has_a_range(event, path):
    assert warned(event) == [
        path or ("margin_caudal_mm" if hasattr(event, "ct_event_id") else "tip_max_cel")
    ]


def test_samples_are_judged_by_their_channel():
    flow = telemetry_chunk(channel=events.Channel.FLOW_PCT, values=(50.0, 101.0, None))

    assert warned(flow) == ["values"]
    assert warned(telemetry_chunk(values=(-201.0, 61.0))) == ["values", "values"]
    assert warned(telemetry_chunk(values=(None,))) == []
    assert warned(telemetry_chunk(channel=events.Channel.UNKNOWN, values=(9e9,))) == []


@pytest.mark.parametrize(
    ("gas", "warns"),
    [
        (events.Gas.UNKNOWN, False),
        (events.Gas.LIQUID_NITROGEN, False),
        (events.Gas.ARGON_HELIUM, True),
        (events.Gas.ARGON_ELECTRIC, True),
    ],
)
def test_below_the_boiling_point_of_argon_is_odd_on_argon_only(gas, warns):
    assert bool(warned(telemetry_chunk(values=(-190.0,)), gas=gas)) is warns


def test_an_event_of_one_lesion_without_lesion_is_warned_of():
    event = freeze_started(header=header(lesion_id=None))

    assert warned(event) == ["header.lesion_id"]
    assert warned(events.ConsentObtained(header=event.header, form=events.ConsentForm.ORAL)) == []


def test_a_negative_count_is_odd():
    event = events.ChecklistCompleted(
        header=header(), phase=events.ChecklistPhase.TIME_OUT, item_count=-1
    )

    assert warned(event) == ["item_count"]
    assert range_of("cycle_no") is None
