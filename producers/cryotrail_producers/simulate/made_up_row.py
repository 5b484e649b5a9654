"""One made-up procedure as a row of a cohort table. Nothing in it is taken from anybody."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

from cryotrail_producers.replay.cohort_row import CohortRow
from cryotrail_producers.replay.follow_up import follow_up_months
from cryotrail_producers.simulate.chance import Chance
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

STARTS = (time(9), time(14))
"""Two procedures each working day."""

PLACES = (
    (Site.ILIUM, Tissue.BONE),
    (Site.SACRUM, Tissue.BONE),
    (Site.RIB, Tissue.BONE),
    (Site.SPINE, Tissue.BONE),
    (Site.FEMUR, Tissue.BONE),
    (Site.RETROPERITONEUM, Tissue.SOFT_TISSUE),
    (Site.THIGH, Tissue.SOFT_TISSUE),
    (Site.CHEST_WALL, Tissue.SOFT_TISSUE),
    (Site.SHOULDER, Tissue.SOFT_TISSUE),
)
CARCINOMAS = (
    Histology.RENAL_CELL_CARCINOMA,
    Histology.HEPATOCELLULAR_CARCINOMA,
    Histology.THYROID_CARCINOMA,
    Histology.OTHER_CARCINOMA,
)
TUMOURS_OF_SOFT_TISSUE = (
    Histology.DEDIFFERENTIATED_LIPOSARCOMA,
    Histology.MYXOFIBROSARCOMA,
    Histology.DESMOID,
    Histology.OTHER_SARCOMA,
)
COMPLICATIONS = (
    ComplicationKind.PAIN,
    ComplicationKind.NERVE_PALSY,
    ComplicationKind.FROSTBITE,
    ComplicationKind.HAEMORRHAGE,
    ComplicationKind.WOUND_COMPLICATION,
    ComplicationKind.FEVER,
)
OUTCOMES = (
    DiseaseStatus.NED,
    DiseaseStatus.NED,
    DiseaseStatus.AWD,
    DiseaseStatus.AWD,
    DiseaseStatus.DOD,
    DiseaseStatus.DEAD_OTHER_CAUSE,
)


def made_up_row(number: int, first_day: date, chance: Chance) -> CohortRow:
    """The row of procedure ``number`` (from 1): a subject of its own, on a working day."""
    site, tissue = chance.pick(PLACES)
    bone = tissue is Tissue.BONE
    size_mm = chance.between(10, 80)
    probe_count = min(6, 1 + size_mm // 25 + chance.between(0, 2))
    cycle_count = 2 if bone else 3
    treated_on = working_day(first_day, (number - 1) // len(STARTS))
    last_contact_on = treated_on + timedelta(days=chance.between(30, 900))
    complicated = chance.happens(15)
    return CohortRow(
        procedure=str(number),
        subject=f"S{number}",
        procedure_no=1,
        treated_on=treated_on,
        age_years=chance.between(18, 90),
        sex=chance.pick((Sex.FEMALE, Sex.MALE)),
        histology=chance.pick(CARCINOMAS if bone else TUMOURS_OF_SOFT_TISSUE),
        origin=LesionOrigin.METASTATIC if bone else LesionOrigin.RECURRENT,
        tissue=tissue,
        site=site,
        size_mm=Decimal(size_mm),
        probe_count=probe_count,
        cycle_count=cycle_count,
        duration_min=30 * cycle_count + 3 * probe_count + 5 + chance.between(0, 60),
        embolized=bone and chance.happens(40),
        displacement=(
            chance.pick((DisplacementMedium.AIR, DisplacementMedium.SALINE))
            if chance.happens(20)
            else None
        ),
        complication=chance.pick(COMPLICATIONS) if complicated else None,
        complication_detail=None,
        retreatment_of=None,
        follow_up_months=follow_up_months(treated_on, last_contact_on),
        last_contact_on=last_contact_on,
        outcome=chance.pick(OUTCOMES),
    )


def working_day(first_day: date, count: int) -> date:
    """The day that is ``count`` working days (Monday to Friday) after the first one."""
    monday = first_day - timedelta(days=first_day.weekday())
    weeks, weekday = divmod(min(first_day.weekday(), 5) + count, 5)
    return monday + timedelta(days=7 * weeks + weekday)
