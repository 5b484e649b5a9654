"""Thinned curves keep every extreme and every gap, and say how many samples they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from published_warehouse import Tables, add_curves, add_procedure, publish

from cryotrail_dashboards.errors import WarehouseUnreadable
from cryotrail_dashboards.queries.publication import open_publication
from cryotrail_dashboards.queries.telemetry import BINS, Curves, tip_temperatures


def published_curves(
    folder: Path, samples: Iterable[tuple[str, float, float | None]], *window: float
) -> Curves:
    tables: Tables = {}
    own_id = add_procedure(tables)
    add_curves(tables, folder, own_id, samples)
    publish(folder, tables)
    with open_publication(folder) as publication:
        curves = tip_temperatures(publication, str(own_id), *window)
    assert curves is not None
    return curves


def every_second(until_min: int, value: float = -150.0) -> list[tuple[str, float, float | None]]:
    return [("1", second / 60, value) for second in range(until_min * 60)]


def test_a_spike_of_one_sample_survives_thinning(tmp_path: Path) -> None:
    samples = every_second(90)
    samples[1234] = ("1", 1234 / 60, 55.0)

    curves = published_curves(tmp_path, samples, 0, 90)

    assert len(curves.points) <= 4 * BINS
    assert curves.sample_count == 5400
    assert curves.points["temperature_cel"].max() == 55.0


def test_few_samples_are_all_drawn(tmp_path: Path) -> None:
    curves = published_curves(tmp_path, every_second(2), 0, 2)

    assert len(curves.points) == curves.sample_count == 120


def test_a_gap_starts_a_new_run_of_the_line(tmp_path: Path) -> None:
    samples = [s for s in every_second(10) if not 4.0 <= s[1] < 5.0]

    points = published_curves(tmp_path, samples, 0, 10).points

    assert points["run"].nunique() == 2
    assert points[points["run"] == 0]["t_min"].max() < 4.0
    assert points[points["run"] == 1]["t_min"].min() >= 5.0


def test_samples_sent_as_missing_are_not_drawn_and_leave_a_gap(tmp_path: Path) -> None:
    samples = [(p, t, None if 4.0 <= t < 5.0 else v) for p, t, v in every_second(10)]

    curves = published_curves(tmp_path, samples, 0, 10)

    assert curves.sample_count == 540
    assert curves.points["run"].nunique() == 2


def test_only_the_window_is_read(tmp_path: Path) -> None:
    points = published_curves(tmp_path, every_second(60), 20, 30).points

    assert points["t_min"].min() == pytest.approx(20.0)
    assert points["t_min"].max() == pytest.approx(30.0)


def test_a_file_that_is_gone_is_reported_not_drawn_as_empty(tmp_path: Path) -> None:
    tables: Tables = {}
    own_id = add_procedure(tables)
    add_curves(tables, tmp_path, own_id, every_second(1))
    publish(tmp_path, tables)
    (tmp_path / tables["fct_telemetry_file"][0]["file_path"]).unlink()

    with open_publication(tmp_path) as publication, pytest.raises(WarehouseUnreadable):
        tip_temperatures(publication, str(own_id), 0, 90)
