"""Builds small published warehouses by hand: tables from the column contract, rows from the test.

The contract is `cryotrail_warehouse/models/**/schema.yml`, so a column that is renamed there fails
here. Columns that a row leaves out get null, or the zero of their type where null is not allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import duckdb
import yaml

START = datetime(2012, 1, 19, 1, 0, tzinfo=UTC)
"""10:00 in Tokyo."""

SPACE = UUID("6f2e7a00-0000-4000-8000-000000000000")

_ZEROS = {
    "BOOLEAN": False,
    "INTEGER": 0,
    "BIGINT": 0,
    "DOUBLE": 0.0,
    "VARCHAR": "",
    "VARCHAR[]": [],
    "TIMESTAMPTZ": START,
}

Tables = dict[str, list[dict[str, Any]]]


def contract() -> dict[str, list[dict[str, Any]]]:
    """The columns of every published table."""
    models = resources.files("cryotrail_warehouse") / "models"
    found: dict[str, list[dict[str, Any]]] = {}
    for folder in models.iterdir():
        if (folder / "schema.yml").is_file():
            text = (folder / "schema.yml").read_text(encoding="utf-8")
            published = (m for m in yaml.safe_load(text)["models"] if "columns" in m)
            found |= {model["name"]: model["columns"] for model in published}
    return found


def publish(warehouse_dir: Path, tables: Tables, number: int = 1) -> Path:
    """Write a publication and point the symbolic link at it, as the materialiser does."""
    warehouse_dir.mkdir(parents=True, exist_ok=True)
    file = warehouse_dir / f"warehouse-{number:06d}.duckdb"
    meta = {
        "publication_no": number,
        "published_at": datetime.now(UTC),
        "last_seq": 99,
        "last_recorded_at": datetime.now(UTC),
        "audit_tree_size": 100,
        "audit_root": "00" * 32,
        "procedure_count": len(tables.get("fct_procedure", [])),
        "event_count": len(tables.get("fct_timeline_event", [])),
        "site_tz": "Asia/Tokyo",
    }
    with duckdb.connect(str(file)) as connection:
        for name, columns in contract().items():
            types = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in columns)
            connection.execute(f"create table {name} ({types})")
            for row in tables.get(name, [meta] if name == "meta_publication" else []):
                _insert(connection, name, columns, row)
    link = warehouse_dir / "warehouse.duckdb"
    link.unlink(missing_ok=True)
    link.symlink_to(file.name)
    return file


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Iterable[Mapping[str, Any]],
    row: Mapping[str, Any],
) -> None:
    known = {column["name"]: column for column in columns}
    unknown = set(row) - set(known)
    assert not unknown, f"{table} has no column {sorted(unknown)}"
    values = [
        row.get(name, _ZEROS.get(column["data_type"]) if _required(column) else None)
        for name, column in known.items()
    ]
    connection.execute(f"insert into {table} values ({', '.join('?' for _ in known)})", values)


def _required(column: Mapping[str, Any]) -> bool:
    return "not_null" in column.get("data_tests", [])


def write_samples(
    warehouse_dir: Path, procedure_id: UUID, samples: Iterable[tuple[str, float, float | None]]
) -> str:
    """Write a procedure's Parquet file from (probe, minute, °C); returns its relative path."""
    path = Path("telemetry") / str(procedure_id) / "1.parquet"
    (warehouse_dir / path.parent).mkdir(parents=True, exist_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "create table sample (procedure_id uuid, probe_id varchar, sensor_id varchar, "
            "channel varchar, cycle_no int, sampled_at timestamptz, value double, quality varchar)"
        )
        listed = list(samples)
        connection.execute(
            "insert into sample select $id, unnest($probes), null, 'TIP_TEMPERATURE_CEL', 1, "
            "$start + to_microseconds((unnest($minutes) * 60e6)::bigint), unnest($values), 'GOOD'",
            {
                "id": procedure_id,
                "start": START,
                "probes": [probe for probe, _, _ in listed],
                "minutes": [minute for _, minute, _ in listed],
                "values": [value for _, _, value in listed],
            },
        )
        connection.execute(f"copy sample to '{warehouse_dir / path}' (format parquet)")
    return str(path)


def procedure_id(label: str) -> UUID:
    """The id that :func:`add_procedure` gives to this label."""
    return uuid5(SPACE, label)


def add_procedure(tables: Tables, label: str = "CRYO-0001", **changes: Any) -> UUID:
    """A finished procedure of two cycles with two probes, 96 minutes long; returns its id.

    Its freezes are 24-44 and 54-74, its thaws follow at once, its checks measured 4.9 to 12.3 mm,
    consent was given a day before, discharge came a day after.
    """
    own_id = procedure_id(label)
    row = {
        "procedure_id": own_id,
        "procedure_label": label,
        "subject_id": uuid5(SPACE, f"subject of {label}"),
        "tissue": "BONE",
        "histology": "RENAL_CELL_CARCINOMA",
        "site": "ILIUM",
        "status": "SEALED",
        "started_at": START,
        "ended_at": START + timedelta(minutes=96),
        "duration_min": 96.0,
        "probe_count": 2,
        "cycle_count": 2,
        "last_margin_mm": 12.3,
        "data_origin": "RECONSTRUCTED",
        "cohort": "RECONSTRUCTED",
        "last_seq": 99,
    }
    tables.setdefault("fct_procedure", []).append(row | changes)
    for probe in ("1", "2"):
        _add_probe(tables, own_id, probe)
    for cycle, minute, margin in ((1, 29, 4.9), (1, 39, 9.9), (2, 59, 10.3), (2, 73, 12.3)):
        add_check(tables, own_id, minute, margin, cycle)
    for event_type, minute in (
        ("ConsentObtained", -1440.0),
        ("ChecklistCompleted", -10.0),
        ("ProcedureStarted", 0.0),
        ("ProcedureEnded", 96.0),
        ("PatientDischarged", 1440.0),
    ):
        add_event(tables, own_id, event_type, minute)
    return own_id


def _add_probe(tables: Tables, own_id: UUID, probe: str) -> None:
    number = int(probe)
    tables.setdefault("fct_probe", []).append(
        {
            "procedure_id": own_id,
            "probe_id": probe,
            "probe_no": number,
            "inserted_at": START + timedelta(minutes=8 * number),
        }
    )
    add_event(tables, own_id, "ProbeInserted", 8.0 * number, lane=f"Probe {probe}", probe_id=probe)
    add_event(tables, own_id, "ProbeRemoved", 85.0 + number, lane=f"Probe {probe}", probe_id=probe)
    for cycle, freeze in ((1, 24.0), (2, 54.0)):
        tables.setdefault("fct_freeze_thaw_cycle", []).append(
            {
                "procedure_id": own_id,
                "probe_id": probe,
                "cycle_no": cycle,
                "freeze_start_minute": freeze,
                "freeze_stop_minute": freeze + 20,
                "thaw_start_minute": freeze + 20,
                "thaw_stop_minute": freeze + 30,
                "freeze_min": 20.0,
                "thaw_min": 10.0,
                "stop_reason": "PLANNED",
                "thaw_mode": "PASSIVE",
                "pairing": "closed",
            }
        )


def add_event(
    tables: Tables, own_id: UUID, event_type: str, minute: float | None, **changes: Any
) -> None:
    """One event of the timeline, ``minute`` minutes from the start."""
    events = tables.setdefault("fct_timeline_event", [])
    at = START + timedelta(minutes=minute or 0.0)
    row = {
        "procedure_id": own_id,
        "event_id": uuid5(own_id, f"{event_type} {len(events)}"),
        "seq": len(events),
        "order_no": len(events) + 1,
        "event_type": event_type,
        "occurred_at": at,
        "recorded_at": at + timedelta(seconds=90),
        "minute_from_start": minute,
        "band": "BEFORE" if (minute or 0) < 0 else "AFTER" if (minute or 0) > 96 else "DURING",
        "lane": "Events",
        "summary": event_type,
        "data_origin": "RECONSTRUCTED",
    }
    events.append(row | changes)


def add_check(
    tables: Tables, own_id: UUID, minute: float, margin_mm: float | None, cycle_no: int
) -> None:
    """One look at the ice ball on CT, and the CT it was read from."""
    ct_event_id = uuid5(own_id, f"ct {minute}")
    tables.setdefault("fct_ct_acquisition", []).append(
        {
            "procedure_id": own_id,
            "event_id": ct_event_id,
            "phase": "MONITORING",
            "cycle_no": cycle_no,
            "minute_from_start": float(minute),
        }
    )
    tables.setdefault("fct_ice_ball_check", []).append(
        {
            "procedure_id": own_id,
            "event_id": uuid5(own_id, f"check {minute}"),
            "cycle_no": cycle_no,
            "minute_from_start": float(minute),
            "smallest_margin_mm": margin_mm,
            "smallest_margin_direction": None if margin_mm is None else "CRANIAL",
            "measured_margin_count": 0 if margin_mm is None else 6,
            "ct_event_id": ct_event_id,
        }
    )


def add_complication(tables: Tables, own_id: UUID, kind: str, minute: float) -> None:
    """A complication, reported ``minute`` minutes from the start, ungraded and unresolved."""
    tables.setdefault("fct_complication", []).append(
        {
            "procedure_id": own_id,
            "complication_id": uuid5(own_id, f"{kind} {minute}"),
            "kind": kind,
            "reported_at": START + timedelta(minutes=minute),
            "minute_from_start": minute,
        }
    )
    add_event(tables, own_id, "ComplicationReported", minute)


def add_curves(
    tables: Tables,
    warehouse_dir: Path,
    own_id: UUID,
    samples: Iterable[tuple[str, float, float | None]],
) -> None:
    """The procedure's tip temperatures: (probe, minute, °C)."""
    rows = list(samples)
    tables.setdefault("fct_telemetry_file", []).append(
        {
            "procedure_id": own_id,
            "file_path": write_samples(warehouse_dir, own_id, rows),
            "sample_count": len(rows),
        }
    )


COHORT_MINUTES = (96, 105, 90, 63, 84, 72, 187, 118, 112, 107, 78)
COHORT_PROBES = (2, 3, 3, 2, 2, 2, 2, 2, 3, 3, 2)
SOFT_TISSUE = range(6, 10)
"""Positions of the soft-tissue procedures in the two rows above."""


def add_cohort(tables: Tables) -> None:
    """Eleven procedures with the reference cohort's minutes, probes and survival."""
    cohort = {"cohort": "RECONSTRUCTED", "analysis_unit": "procedure"}
    for i, (length, probes) in enumerate(zip(COHORT_MINUTES, COHORT_PROBES, strict=True)):
        add_procedure(
            tables,
            f"CRYO-{i + 1:04d}",
            duration_min=float(length),
            ended_at=START + timedelta(minutes=length),
            probe_count=probes,
            tissue="SOFT_TISSUE" if i in SOFT_TISSUE else "BONE",
            last_margin_mm=9.4 if i == 3 else 10.0 + 0.3 * i,
        )
    groups = {"ALL": range(11), "SOFT_TISSUE": SOFT_TISSUE}
    groups["BONE"] = [i for i in range(11) if i not in SOFT_TISSUE]
    for group, members in groups.items():
        lengths = sorted(float(COHORT_MINUTES[i]) for i in members)
        tables.setdefault("cohort_duration", []).append(
            {
                **cohort,
                "measure": "duration_min",
                "group_by": "all" if group == "ALL" else "tissue",
                "group_value": group,
                "n": len(lengths),
                "total_min": sum(lengths),
                "mean_min": sum(lengths) / len(lengths),
                "minimum_min": lengths[0],
                "maximum_min": lengths[-1],
                "median_min": lengths[len(lengths) // 2],
            }
        )
        used = [COHORT_PROBES[i] for i in members]
        cycles = [3 if i in SOFT_TISSUE else 2 for i in members]
        for measure, counts in (("probe_count", used), ("cycle_count", cycles)):
            for value in sorted(set(counts)):
                tables.setdefault("cohort_probe", []).append(
                    {
                        **cohort,
                        "measure": measure,
                        "group_by": "all" if group == "ALL" else "tissue",
                        "group_value": group,
                        "value": value,
                        "procedure_count": counts.count(value),
                        "n": len(counts),
                        "total": sum(counts),
                        "mean": sum(counts) / len(counts),
                        "minimum": min(counts),
                        "maximum": max(counts),
                    }
                )
    for kind, k, lower, upper in (
        ("ANY", 3, 0.0975, 0.5656),
        ("NERVE_PALSY", 1, 0.0162, 0.3774),
        ("HAEMORRHAGE", 0, 0.0, 0.2588),
    ):
        tables.setdefault("cohort_complication", []).append(
            {
                **cohort,
                "kind": kind,
                "k": k,
                "n": 11,
                "share": k / 11,
                "complication_count": k,
                "lower_95": lower,
                "upper_95": upper,
            }
        )
    for row in _SURVIVAL:
        months, at_risk, deaths, censored, survival, lower, upper = row
        tables.setdefault("cohort_survival", []).append(
            {
                "cohort": "RECONSTRUCTED",
                "analysis_unit": "subject",
                "time_months": months,
                "n": 9,
                "at_risk": at_risk,
                "deaths": deaths,
                "censored": censored,
                "survival": survival,
                "lower_95": lower,
                "upper_95": upper,
                "is_year_mark": months % 12 == 0,
                "median_months": 35,
                "at_risk_at_median": 2,
            }
        )


_SURVIVAL = (
    (0, 9, 0, 0, 1.0, None, None),
    (5, 9, 0, 1, 1.0, None, None),
    (12, 8, 1, 0, 0.875, 0.387, 0.981),
    (17, 7, 0, 1, 0.875, 0.387, 0.981),
    (21, 6, 1, 0, 35 / 48, 0.276, 0.925),
    (24, 5, 0, 0, 35 / 48, 0.276, 0.925),
    (24.1, 5, 0, 1, 35 / 48, 0.276, 0.925),
    (25, 4, 0, 1, 35 / 48, 0.276, 0.925),
    (30, 3, 0, 1, 35 / 48, 0.276, 0.925),
    (35, 2, 1, 0, 35 / 96, 0.014, 0.788),
    (36, 1, 0, 0, 35 / 96, 0.014, 0.788),
    (48, 1, 0, 1, 35 / 96, 0.014, 0.788),
)
"""Months, at risk, deaths, last seen alive, S(t) and its limits, of the reference cohort."""
