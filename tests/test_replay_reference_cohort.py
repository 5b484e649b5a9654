"""The shipped table meets every aggregate that the publication prints, each in its own unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from statistics import median

import pytest
from replayed_cohort import cohort

from cryotrail_producers.replay import CohortRow
from cryotrail_producers.replay.follow_up import follow_up_months, visits

ROWS = cohort().rows
SUBJECTS = tuple(row for row in ROWS if row.procedure_no == 1)
SECOND = tuple(row for row in ROWS if row.retreatment_of)
SARCOMAS = {"DEDIFFERENTIATED_LIPOSARCOMA", "MYXOFIBROSARCOMA", "CHORDOMA"}
Step = tuple[Fraction, int, int, Fraction]


def one_decimal(value: Fraction) -> Fraction:
    """Half up, as printed."""
    return Fraction((value * 10 + Fraction(1, 2)).__floor__(), 10)


def summary(numbers: Sequence[int]) -> tuple[int, str, int, int]:
    """Total, mean as printed, least, most."""
    mean = one_decimal(Fraction(sum(numbers), len(numbers)))
    return sum(numbers), f"{float(mean):.1f}", min(numbers), max(numbers)


def kaplan_meier(rows: Sequence[CohortRow]) -> tuple[list[Step], Fraction | None]:
    """(months, at risk, deaths, exact S) at each death, deaths before censorings; the median."""
    pairs = [(Fraction(row.follow_up_months), row.died) for row in rows]
    survival, steps = Fraction(1), []
    for time in sorted({time for time, died in pairs if died}):
        at_risk = sum(other >= time for other, _ in pairs)
        deaths = sum(died and other == time for other, died in pairs)
        survival *= 1 - Fraction(deaths, at_risk)
        steps.append((time, at_risk, deaths, survival))
    return steps, next((time for time, _, _, s in steps if s <= Fraction(1, 2)), None)


def test_there_are_eleven_procedures_of_nine_subjects() -> None:
    assert (len(ROWS), len({row.subject for row in ROWS}), len(SUBJECTS)) == (11, 9, 9)


def test_histology_is_counted_per_lesion() -> None:
    assert Counter(row.histology for row in ROWS) == {
        "RENAL_CELL_CARCINOMA": 4,
        "HEPATOCELLULAR_CARCINOMA": 1,
        "THYROID_CARCINOMA": 1,
        "DEDIFFERENTIATED_LIPOSARCOMA": 2,
        "MYXOFIBROSARCOMA": 2,
        "CHORDOMA": 1,
    }


def test_five_lesions_are_recurrent_and_they_are_the_sarcomas() -> None:
    assert Counter(row.origin for row in ROWS) == {"RECURRENT": 5, "METASTATIC": 6}
    assert all((row.origin == "RECURRENT") == (row.histology in SARCOMAS) for row in ROWS)


def test_sites_are_counted_per_lesion() -> None:
    assert Counter(row.site for row in ROWS) == {
        "ILIUM": 5,
        "RETROPERITONEUM": 2,
        "THIGH": 2,
        "RIB": 1,
        "SACRUM": 1,
    }


@pytest.mark.parametrize(
    ("numbers", "published"),
    [
        ([int(row.size_mm) for row in ROWS], (436, "39.6", 22, 52)),
        ([row.duration_min for row in ROWS], (1112, "101.1", 63, 187)),
        ([row.probe_count for row in ROWS], (26, "2.4", 2, 3)),
        ([row.age_years for row in SUBJECTS], (673, "74.8", 61, 86)),
    ],
    ids=["size_mm", "duration_min", "probe_count", "age_years"],
)
def test_total_mean_and_range_are_the_published_ones(
    numbers: list[int], published: tuple[int, str, int, int]
) -> None:
    assert summary(numbers) == published


def test_age_over_procedures_prints_the_same_mean_so_only_its_total_tells() -> None:
    assert summary([row.age_years for row in ROWS]) == (823, "74.8", 61, 86)


def test_seven_procedures_have_two_probes_and_four_have_three() -> None:
    assert Counter(row.probe_count for row in ROWS) == {2: 7, 3: 4}


def test_bone_has_two_cycles_and_soft_tissue_three() -> None:
    assert Counter((row.tissue, row.cycle_count) for row in ROWS) == {
        ("BONE", 2): 7,
        ("SOFT_TISSUE", 3): 4,
    }
    assert sum(row.cycle_count for row in ROWS) == 26


def test_the_shortest_procedure_leaves_three_minutes_beside_nominal_cycles() -> None:
    assert min(row.duration_min - 30 * row.cycle_count for row in ROWS) == 3


def test_two_renal_and_the_hepatocellular_lesions_were_embolized() -> None:
    assert Counter(row.histology for row in ROWS if row.embolized) == {
        "RENAL_CELL_CARCINOMA": 2,
        "HEPATOCELLULAR_CARCINOMA": 1,
    }


def test_three_complications_and_the_retention_is_the_chordoma_s() -> None:
    complicated = {row.complication: row.histology for row in ROWS if row.complication}
    assert set(complicated) == {"NERVE_PALSY", "URINARY_RETENTION", "WOUND_COMPLICATION"}
    assert complicated["URINARY_RETENTION"] == "CHORDOMA"


def test_the_thirty_millimetre_liposarcoma_was_displaced_by_air() -> None:
    displaced = [
        (row.histology, int(row.size_mm), row.displacement) for row in ROWS if row.displacement
    ]
    assert displaced == [("DEDIFFERENTIATED_LIPOSARCOMA", 30, "AIR")]


def test_one_liposarcoma_and_one_myxofibrosarcoma_subject_were_treated_twice() -> None:
    assert sorted(row.histology for row in SECOND) == [
        "DEDIFFERENTIATED_LIPOSARCOMA",
        "MYXOFIBROSARCOMA",
    ]
    for row in SECOND:
        first = next(other for other in ROWS if other.procedure == row.retreatment_of)
        assert (row.procedure_no, row.subject) == (2, first.subject)
        assert (row.histology, row.site) == (first.histology, first.site)
        assert row.treated_on > first.treated_on


def test_seven_subjects_are_male_although_nine_procedures_are() -> None:
    assert Counter(row.sex for row in SUBJECTS) == {"MALE": 7, "FEMALE": 2}
    assert Counter(row.sex for row in ROWS) == {"MALE": 9, "FEMALE": 2}


def test_six_subjects_are_over_seventy_and_the_one_of_seventy_is_not() -> None:
    assert sum(row.age_years > 70 for row in SUBJECTS) == 6
    assert sum(row.age_years > 70 for row in ROWS) == 7
    assert sum(row.age_years == 70 for row in SUBJECTS) == 1


def test_the_liposarcoma_subject_is_a_man_of_86() -> None:
    assert {(row.age_years, row.sex) for row in ROWS if "LIPO" in row.histology} == {(86, "MALE")}


def test_outcome_is_counted_per_subject() -> None:
    assert Counter(row.outcome for row in SUBJECTS) == {"NED": 4, "AWD": 2, "DOD": 3}


def test_follow_up_meets_the_printed_figure_read_as_median_and_as_mean() -> None:
    months = [Fraction(row.follow_up_months) for row in SUBJECTS]
    assert median(months) == Fraction("24.1")
    assert one_decimal(sum(months) / len(months)) == Fraction("24.1")
    assert (min(months), max(months)) == (5, 48)


def test_the_thyroid_subject_was_followed_for_three_years() -> None:
    (thyroid,) = (row for row in ROWS if row.histology == "THYROID_CARCINOMA")
    assert thyroid.site == "ILIUM"
    assert thyroid.follow_up_months >= 36


def test_follow_up_months_are_those_of_the_dates() -> None:
    first = {row.subject: row.treated_on for row in SUBJECTS}
    for row in ROWS:
        assert follow_up_months(first[row.subject], row.last_contact_on) == row.follow_up_months


def test_treatment_begins_in_2011_and_contact_ends_by_october_2015() -> None:
    assert min(row.treated_on for row in ROWS).year == 2011
    assert max(row.last_contact_on for row in ROWS) < date(2015, 11, 1)


def test_kaplan_meier_is_over_subjects_with_a_median_of_35_months() -> None:
    steps, km_median = kaplan_meier(SUBJECTS)
    assert steps == [
        (12, 8, 1, Fraction(7, 8)),
        (21, 6, 1, Fraction(35, 48)),
        (35, 2, 1, Fraction(35, 96)),
    ]
    assert km_median == 35


def test_kaplan_meier_over_procedures_has_the_same_median_and_other_survival() -> None:
    steps, km_median = kaplan_meier(ROWS)
    assert km_median == 35
    assert [survival for *_, survival in steps] == [
        Fraction("0.9"),
        Fraction("0.675"),
        Fraction("0.3375"),
    ]


def test_34_visits_are_due_on_the_subject_clock() -> None:
    due = [visits(row.treated_on, row.last_contact_on, row.died) for row in SUBJECTS]
    assert sum(len(list(one)) for one in due) == 34


def test_40_visits_are_due_when_a_second_treatment_ends_the_first_clock() -> None:
    restarted = {row.retreatment_of: row.treated_on for row in SECOND}
    due = 0
    for row in ROWS:
        end = min(row.last_contact_on, restarted.get(row.procedure, date.max))
        due += len(list(visits(row.treated_on, end, died=False)))
    assert due == 40
