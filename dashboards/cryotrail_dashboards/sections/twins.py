"""The timeline's panels as tables: the same figures for readers who do not see charts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from cryotrail_dashboards.layout import show_table
from cryotrail_dashboards.units import words


def _one_decimal(title: str) -> Any:
    return st.column_config.NumberColumn(title, format="%.1f")


def show_cycles(cycles: pd.DataFrame) -> None:
    """A row a probe and cycle, with minutes from the start."""
    rows = cycles.assign(
        pairing=[words(pairing) for pairing in cycles["pairing"]],
        stop_reason=[words(reason) for reason in cycles["stop_reason"]],
        thaw_mode=[words(mode) for mode in cycles["thaw_mode"]],
    )
    columns = {
        "probe_id": "Probe",
        "cycle_no": "Cycle",
        "freeze_start_minute": _one_decimal("Freeze from (T+min)"),
        "freeze_stop_minute": _one_decimal("Freeze to (T+min)"),
        "freeze_min": _one_decimal("Freeze (min)"),
        "thaw_start_minute": _one_decimal("Thaw from (T+min)"),
        "thaw_stop_minute": _one_decimal("Thaw to (T+min)"),
        "thaw_min": _one_decimal("Thaw (min)"),
        "stop_reason": "Freeze stopped",
        "thaw_mode": "Thaw mode",
        "pairing": "Cycle is",
    }
    show_table(rows, "cycles", columns, alt_text=f"{len(rows)} freeze and thaw cycles.")


def show_temperatures(temperatures: pd.DataFrame) -> None:
    """A row a probe, cycle and phase: extremes, mean, and time at or below -20 and -40 °C."""
    rows = temperatures.assign(phase=[words(phase) for phase in temperatures["phase"]])
    columns = {
        "probe_id": "Probe",
        "cycle_no": "Cycle",
        "phase": "Phase",
        "min_cel": _one_decimal("Lowest (°C)"),
        "mean_cel": _one_decimal("Mean (°C)"),
        "max_cel": _one_decimal("Highest (°C)"),
        "at_or_below_minus_20_s": "At or below −20 °C (s)",
        "at_or_below_minus_40_s": "At or below −40 °C (s)",
        "sample_count": "Samples",
        "missing_count": "Missing",
    }
    show_table(rows, "temperatures", columns, alt_text="Tip temperatures by probe and phase.")


def show_checks(ct: pd.DataFrame) -> None:
    """A row a CT: its phase, and the smallest margin where one was measured."""
    rows = ct.assign(
        what=[
            "ice-ball check" if is_check else f"CT, {words(phase)}"
            for is_check, phase in zip(ct["is_check"], ct["phase"], strict=True)
        ],
        direction=[words(direction) for direction in ct["direction"]],
    )
    columns = {
        "t_min": _one_decimal("T (min)"),
        "what": "CT",
        "cycle_no": "Cycle",
        "margin_mm": _one_decimal("Smallest margin (mm)"),
        "direction": "Direction",
        "measured_count": "Margins measured",
        "covers_tumour": "Tumour covered",
    }
    show_table(rows, "checks", columns, alt_text=f"{len(rows)} CT acquisitions and checks.")
