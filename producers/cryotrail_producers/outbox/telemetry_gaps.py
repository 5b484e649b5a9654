"""What was shed and not yet reported, kept in the clinical file until an event reports it.

A gap is one curve's: procedure, channel, probe and sensor. It has the id of the event that will
report it from its first sample on, and leaves the table in the transaction that accepts that event:
however often a process is killed, it is reported once.

All functions run in a write transaction of the caller, on the clinical file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from uuid import UUID

from cryotrail_producers.outbox_file.shed_samples import ShedSamples
from cryotrail_schemas.datum.times import instant
from cryotrail_schemas.events import (
    ActorRole,
    Channel,
    DataOrigin,
    GapReason,
    Header,
    TelemetryGapReported,
    TimeBasis,
)
from cryotrail_schemas.identifiers import new_event_id

_CURVE = "procedure_id = ? AND channel = ? AND probe_id IS ? AND sensor_id IS ?"


def note(connection: sqlite3.Connection, shed: Sequence[ShedSamples], now_us: int) -> None:
    """Add samples to the open gaps of their curves, beginning one where there is none."""
    for samples in shed:
        curve = (
            samples.procedure_id.bytes,
            samples.channel,
            samples.probe_id,
            samples.sensor_id,
        )
        widened = connection.execute(
            "UPDATE gap SET from_us = min(from_us, ?), to_us = max(to_us, ?),"
            f" samples = samples + ? WHERE {_CURVE}",
            (samples.from_us, samples.to_us, samples.samples, *curve),
        )
        if not widened.rowcount:
            connection.execute(
                "INSERT INTO gap VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    new_event_id().bytes,
                    *curve,
                    samples.from_us,
                    samples.to_us,
                    samples.samples,
                    now_us,
                    None if samples.lesion_id is None else samples.lesion_id.bytes,
                    samples.subject_id.bytes,
                    samples.device_id,
                    samples.time_basis,
                    samples.clock_offset_ms,
                    samples.data_origin,
                ),
            )
    connection.execute(
        "UPDATE outbox SET shed_chunks = shed_chunks + ?, shed_samples = shed_samples + ?",
        (len(shed), sum(samples.samples for samples in shed)),
    )


def gaps_of(connection: sqlite3.Connection, procedure_id: UUID) -> list[TelemetryGapReported]:
    """The reports of one procedure's gaps, oldest first."""
    return _gaps(connection, "procedure_id = ?", (procedure_id.bytes,))


def gaps_due(
    connection: sqlite3.Connection, begun_by_us: int, now_us: int
) -> list[TelemetryGapReported]:
    """The reports of the gaps that began by a time, oldest first.

    One that began after ``now_us`` is due too: the clock was set back since.
    """
    return _gaps(connection, "begun_us <= ? OR begun_us > ?", (begun_by_us, now_us))


def forget(connection: sqlite3.Connection, reports: Sequence[TelemetryGapReported]) -> None:
    """The reports were accepted in this transaction: what is shed from here on is another gap."""
    connection.executemany(
        "DELETE FROM gap WHERE event_id = ?",
        [(report.header.event_id.bytes,) for report in reports],
    )


def _gaps(
    connection: sqlite3.Connection, condition: str, parameters: tuple[object, ...]
) -> list[TelemetryGapReported]:
    rows = connection.execute(
        "SELECT event_id, procedure_id, channel, probe_id, sensor_id, from_us, to_us, samples,"
        " lesion_id, subject_id, device_id, time_basis, clock_offset_ms, data_origin"
        f" FROM gap WHERE {condition} ORDER BY begun_us, event_id",
        parameters,
    )
    return [
        TelemetryGapReported(
            header=Header(
                event_id=UUID(bytes=event_id),
                procedure_id=UUID(bytes=procedure_id),
                lesion_id=None if lesion_id is None else UUID(bytes=lesion_id),
                subject_id=UUID(bytes=subject_id),
                device_id=device_id,
                actor_role=ActorRole.SYSTEM,
                # The end of what is missing, on the clock of the samples.
                occurred_at=instant(to_us),
                time_basis=TimeBasis(time_basis),
                clock_offset_ms=clock_offset_ms,
                data_origin=DataOrigin(data_origin),
            ),
            channel=Channel(channel),
            probe_id=probe_id,
            sensor_id=sensor_id,
            from_at=instant(from_us),
            to_at=instant(to_us),
            lost_sample_count=samples,
            reason=GapReason.SHED,
        )
        for (
            event_id,
            procedure_id,
            channel,
            probe_id,
            sensor_id,
            from_us,
            to_us,
            samples,
            lesion_id,
            subject_id,
            device_id,
            time_basis,
            clock_offset_ms,
            data_origin,
        ) in rows
    ]
