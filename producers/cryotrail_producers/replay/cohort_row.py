"""One row of a cohort table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cryotrail_producers.replay.minute_plan import MinutePlan, plan_procedure
from cryotrail_schemas.events import (
    ComplicationKind,
    DiseaseStatus,
    DisplacementMedium,
    Histology,
    LesionOrigin,
    Sex,
    Site,
    Tissue,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRow:
    """One procedure of one lesion; field names and order are the table's columns.

    A subject treated again has another row. Its ``age_years``, ``follow_up_months``,
    ``last_contact_on`` and ``outcome`` are facts of the subject, counted from the first treatment
    and repeated on each of its rows.
    """

    procedure: str
    subject: str
    procedure_no: int
    """Counts the subject's procedures from 1 in order of time."""
    treated_on: date
    age_years: int
    sex: Sex
    histology: Histology
    origin: LesionOrigin
    tissue: Tissue
    site: Site
    size_mm: Decimal
    """Longest diameter of the tumour."""
    probe_count: int
    cycle_count: int
    duration_min: int
    """First skin puncture to the end of the procedure."""
    embolized: bool
    displacement: DisplacementMedium | None
    complication: ComplicationKind | None
    complication_detail: str | None
    retreatment_of: str | None
    """The ``procedure`` that this one treats again."""
    follow_up_months: Decimal
    last_contact_on: date
    """Last contact, or the day of death."""
    outcome: DiseaseStatus

    @property
    def label(self) -> str:
        """``R01`` is ``CRYO-0001``; a name without digits is its own label."""
        digits = "".join(character for character in self.procedure if character in "0123456789")
        return f"CRYO-{digits.zfill(4)}" if digits else self.procedure

    @property
    def died(self) -> bool:
        """Whether ``last_contact_on`` is a day of death."""
        return self.outcome in (DiseaseStatus.DOD, DiseaseStatus.DEAD_OTHER_CAUSE)

    @property
    def plan(self) -> MinutePlan:
        """When everything of this procedure happens.

        :raises PlanRefused: too few minutes for its probes and cycles (a table that was read
            holds no such row).
        """
        return plan_procedure(self.duration_min, self.probe_count, self.cycle_count)
