"""The header of each event of one procedure, with ids that are the same at every replay."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import UUID

from cryotrail_schemas.events import (
    ActorRole,
    DataOrigin,
    DisplacementPerformed,
    EmbolizationPerformed,
    Event,
    FollowUpImagingPerformed,
    FreezeStarted,
    FreezeStopped,
    Header,
    IceBallChecked,
    ProbeAnchored,
    ProbeInserted,
    ProbeRemoved,
    ProbeTelemetryChunk,
    ProcedureScheduled,
    ResponseAssessed,
    ThawStarted,
    ThawStopped,
    TimeBasis,
    TractChecked,
)
from cryotrail_schemas.identifiers import replay_id

CONCERNS_LESION: frozenset[type[Event]] = frozenset(
    {
        ProcedureScheduled,
        EmbolizationPerformed,
        DisplacementPerformed,
        ProbeInserted,
        ProbeAnchored,
        FreezeStarted,
        FreezeStopped,
        ThawStarted,
        ThawStopped,
        IceBallChecked,
        ProbeRemoved,
        TractChecked,
        ProbeTelemetryChunk,
        FollowUpImagingPerformed,
        ResponseAssessed,
    }
)
"""The events that are about one lesion; the others are about the procedure or the subject."""


class Headers:
    """Makes the headers of one procedure's events, each kind in order of time.

    An event's id is the UUIDv5 of
    ``<data set>/<procedure>/<type>/<probe or ->/<cycle or ->/<n-th of its kind>``, where events of
    one type, probe and cycle are of one kind and count from 1.
    """

    def __init__(self, data_set: str, procedure: str, subject: str, origin: DataOrigin) -> None:
        self.procedure_id = procedure_id(data_set, procedure)
        self.subject_id = replay_id(data_set, subject)
        self.lesion_id = replay_id(data_set, procedure, "lesion")
        self.complication_id = replay_id(data_set, procedure, "complication")
        self._data_set = data_set
        self._procedure = procedure
        self._origin = origin
        self._made: Counter[tuple[str, str, str]] = Counter()

    def make(
        self,
        event_class: type[Event],
        occurred_at: datetime,
        actor_role: ActorRole,
        *,
        probe: str | None = None,
        cycle_no: int | None = None,
    ) -> Header:
        """The header of the next event of its kind."""
        kind = (event_class.TYPE, probe or "-", "-" if cycle_no is None else str(cycle_no))
        self._made[kind] += 1
        return Header(
            event_id=replay_id(self._data_set, self._procedure, *kind, str(self._made[kind])),
            procedure_id=self.procedure_id,
            lesion_id=self.lesion_id if event_class in CONCERNS_LESION else None,
            subject_id=self.subject_id,
            actor_role=actor_role,
            occurred_at=occurred_at,
            # The table knows days; the times of day are laid out in the site's zone.
            time_basis=TimeBasis.SITE_TZ_ASSUMED,
            data_origin=self._origin,
        )


def procedure_id(data_set: str, procedure: str) -> UUID:
    """The id of a table's procedure, also for rows that refer to it."""
    return replay_id(data_set, procedure)
