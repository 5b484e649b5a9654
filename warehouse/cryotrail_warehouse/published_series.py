"""The published series beside which the cohort is measured, figure by figure.

Susa M et al., "CT guided cryoablation for locally recurrent or metastatic bone and soft tissue
tumor: initial experience", BMC Cancer 2016;16:798, doi 10.1186/s12885-016-2852-6.

The paper prints aggregates only. Three sources are told apart, and a page that shows a figure
says which: *published* figures stand in the paper; *implied* ones are the one integer total that
rounds to a printed mean or follows from printed counts; those of the *reconstruction* follow from
the reconstructed rows alone. They test the software and say nothing about the centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

CITATION: Final = "Susa et al. 2016, BMC Cancer 16:798, doi 10.1186/s12885-016-2852-6"

Source = Literal["published", "implied", "reconstruction"]
AnalysisUnit = Literal["subject", "lesion", "procedure"]


@dataclass(frozen=True, slots=True)
class SeriesFigure:
    """One figure of the series."""

    key: str
    """Stable name, such as ``duration_min.mean``."""
    label: str
    source: Source
    value: float
    """As printed: halves rounded up to ``decimals``."""
    unit: str | None
    """UCUM code; None for counts and shares of one."""
    analysis_unit: AnalysisUnit
    decimals: int = 0

    @property
    def citation(self) -> str:
        """Where the value comes from."""
        return {
            "published": CITATION,
            "implied": f"follows from {CITATION}",
            "reconstruction": f"reconstructed rows that meet every aggregate of {CITATION}",
        }[self.source]


def _count(
    key: str, label: str, value: int, per: AnalysisUnit, source: Source = "published"
) -> SeriesFigure:
    return SeriesFigure(key, label, source, value, None, per)


def _value(
    key: str,
    label: str,
    value: float,
    unit: str | None,
    per: AnalysisUnit,
    decimals: int = 1,
    source: Source = "published",
) -> SeriesFigure:
    return SeriesFigure(key, label, source, value, unit, per, decimals)


def _distribution(
    measure: str, label: str, unit: str | None, per: AnalysisUnit, *values: float
) -> tuple[SeriesFigure, ...]:
    """Total (implied), mean, least and greatest (published)."""
    total, mean, least, greatest = values
    return (
        _value(f"{measure}.total", f"{label}, total", total, unit, per, 0, "implied"),
        _value(f"{measure}.mean", f"{label}, mean", mean, unit, per),
        _value(f"{measure}.minimum", f"{label}, least", least, unit, per, 0),
        _value(f"{measure}.maximum", f"{label}, greatest", greatest, unit, per, 0),
    )


PUBLISHED: Final = (
    _count("procedures", "cryoablations", 11, "procedure"),
    _count("lesions", "lesions", 11, "lesion"),
    _count("subjects", "patients", 9, "subject"),
    _count("retreated_subjects", "patients treated twice", 2, "subject"),
    _count("sex.MALE", "male", 7, "subject"),
    _count("sex.FEMALE", "female", 2, "subject"),
    *_distribution("age_years", "age", "a", "subject", 673, 74.8, 61, 86),
    _count("histology.RENAL_CELL_CARCINOMA", "renal cell carcinoma", 4, "lesion"),
    _count("histology.DEDIFFERENTIATED_LIPOSARCOMA", "dedifferentiated liposarcoma", 2, "lesion"),
    _count("histology.MYXOFIBROSARCOMA", "myxofibrosarcoma", 2, "lesion"),
    _count("histology.CHORDOMA", "chordoma", 1, "lesion"),
    _count("histology.HEPATOCELLULAR_CARCINOMA", "hepatocellular carcinoma", 1, "lesion"),
    _count("histology.THYROID_CARCINOMA", "thyroid carcinoma", 1, "lesion"),
    _count("origin.RECURRENT", "recurrent", 5, "lesion"),
    _count("origin.METASTATIC", "metastatic", 6, "lesion"),
    _count("recurrent_sarcoma", "recurrent, all of them sarcoma", 5, "lesion"),
    _count("site.ILIUM", "ilium", 5, "lesion"),
    _count("site.RETROPERITONEUM", "retroperitoneum", 2, "lesion"),
    _count("site.THIGH", "thigh", 2, "lesion"),
    _count("site.RIB", "rib", 1, "lesion"),
    _count("site.SACRUM", "sacrum", 1, "lesion"),
    _count("tissue.BONE", "in bone", 7, "lesion", "implied"),
    _count("tissue.SOFT_TISSUE", "in soft tissue", 4, "lesion", "implied"),
    *_distribution("tumour_size_mm", "tumour size", "mm", "lesion", 436, 39.6, 22, 52),
    *_distribution("duration_min", "procedure length", "min", "procedure", 1112, 101.1, 63, 187),
    *_distribution("probe_count", "probes", None, "procedure", 26, 2.4, 2, 3),
    _count("probe_count.2", "procedures with 2 probes", 7, "procedure", "implied"),
    _count("probe_count.3", "procedures with 3 probes", 4, "procedure", "implied"),
    _count("cycles.BONE.minimum", "cycles in bone, least", 2, "procedure"),
    _count("cycles.BONE.maximum", "cycles in bone, greatest", 2, "procedure"),
    _count("cycles.SOFT_TISSUE.minimum", "cycles in soft tissue, least", 3, "procedure"),
    _count("cycles.SOFT_TISSUE.maximum", "cycles in soft tissue, greatest", 3, "procedure"),
    _count("cycles.total", "cycles", 26, "procedure", "implied"),
    _count("embolized", "embolized before", 3, "procedure"),
    _count("embolized.RENAL_CELL_CARCINOMA", "embolized, renal cell carcinoma", 2, "procedure"),
    _count("embolized.HEPATOCELLULAR_CARCINOMA", "embolized, hepatocellular", 1, "procedure"),
    _count("tumour_covered", "ice covered the whole tumour", 11, "procedure"),
    _count("discharged_after_1_day", "discharged after 1 day", 11, "procedure"),
    _count("complication.ANY", "procedures with a complication", 3, "procedure"),
    _count("complication.URINARY_RETENTION", "urinary retention", 1, "procedure"),
    _count("urinary_retention_in_chordoma", "of these in the chordoma", 1, "procedure"),
    _count("complication.NERVE_PALSY", "femoral nerve palsy", 1, "procedure"),
    _count("complication.WOUND_COMPLICATION", "minor wound complication", 1, "procedure"),
    _count("complication.HAEMORRHAGE", "haemorrhage", 0, "procedure"),
    _count("disease_status.NED", "no evidence of disease", 4, "subject"),
    _count("disease_status.AWD", "alive with disease", 2, "subject"),
    _count("disease_status.DOD", "died of disease", 3, "subject"),
    _value("follow_up_months.median", "follow-up, median", 24.1, "mo", "subject"),
    _value("follow_up_months.minimum", "follow-up, least", 5, "mo", "subject", 0),
    _value("follow_up_months.maximum", "follow-up, greatest", 48, "mo", "subject", 0),
    _count("thyroid_followed_36_months", "thyroid, followed over 3 years", 1, "subject"),
    _value("survival.median", "median survival", 35, "mo", "subject", 0),
)
"""What the paper prints, and the totals that it implies."""


def _own(
    key: str, label: str, value: float, unit: str | None, per: AnalysisUnit, decimals: int
) -> SeriesFigure:
    return _value(key, label, value, unit, per, decimals, "reconstruction")


def _curve(month: int, *values: float) -> tuple[SeriesFigure, ...]:
    """Survival, standard error, limits and number at risk at one month."""
    names = ("survival", "standard error", "lower limit", "upper limit", "at risk")
    keys = ("estimate", "std_error", "lower_95", "upper_95", "at_risk")
    decimals = (4, 4, 3, 3, 0)
    return tuple(
        _own(f"survival.{month}.{key}", f"{name} at {month} months", value, None, "subject", places)
        for key, name, value, places in zip(keys, names, values, decimals, strict=True)
    )


def _at_risk(month: int, count: int) -> SeriesFigure:
    label = f"at risk at {month} months"
    return _own(f"at_risk.{month}", label, count, None, "subject", 0)


def _share(key: str, label: str, per: AnalysisUnit, *percents: float) -> tuple[SeriesFigure, ...]:
    names = ("percent", "lower_95", "upper_95")
    return tuple(
        _own(f"{key}.{name}", f"{label}, {name.replace('_', ' ')}", value, "%", per, 1)
        for name, value in zip(names, percents, strict=True)
    )


RECONSTRUCTED: Final = (
    *_curve(12, 0.875, 0.1169, 0.387, 0.981, 8),
    *_curve(21, 0.7292, 0.1650, 0.276, 0.925, 6),
    *_curve(35, 0.3646, 0.2707, 0.014, 0.788, 2),
    *(_at_risk(month, n) for month, n in ((0, 9), (12, 8), (24, 5), (36, 1), (48, 1))),
    _own("follow_up_months.mean", "follow-up, mean", 24.1, "mo", "subject", 1),
    _own("duration_min.median", "procedure length, median", 96, "min", "procedure", 1),
    _own("duration_min.q1", "procedure length, first quartile", 81, "min", "procedure", 1),
    _own("duration_min.q3", "procedure length, third quartile", 109.5, "min", "procedure", 1),
    _own("duration_min.p10", "procedure length, p10", 72, "min", "procedure", 1),
    _own("duration_min.p90", "procedure length, p90", 118, "min", "procedure", 1),
    _own("duration_min.p95", "procedure length, p95", 152.5, "min", "procedure", 1),
    _own("duration_min.sd", "procedure length, SD", 33.3, "min", "procedure", 1),
    _own("duration_min.BONE.total", "procedure length in bone", 588, "min", "procedure", 0),
    _own("duration_min.BONE.mean", "mean in bone", 84, "min", "procedure", 1),
    _own("duration_min.BONE.median", "median in bone", 84, "min", "procedure", 1),
    _own("duration_min.SOFT_TISSUE.total", "length in soft tissue", 524, "min", "procedure", 0),
    _own("duration_min.SOFT_TISSUE.mean", "mean in soft tissue", 131, "min", "procedure", 1),
    _own("duration_min.SOFT_TISSUE.median", "median in soft tissue", 115, "min", "procedure", 1),
    _own("freeze_min.total", "freezing, union of probes", 514, "min", "procedure", 0),
    _own("thaw_min.total", "thawing, union of probes", 252, "min", "procedure", 0),
    _own("probe_freeze_min.total", "freezing, sum of probes", 1228, "min", "procedure", 0),
    _own("probe_thaw_min.total", "thawing, sum of probes", 604, "min", "procedure", 0),
    _own("probe_cycles", "probe cycles", 62, None, "procedure", 0),
    _own("ct_acquisitions", "CT acquisitions", 152, None, "procedure", 0),
    _own("temperature_samples", "temperature samples", 109_920, None, "procedure", 0),
    _own("telemetry_chunks", "telemetry chunks", 10_992, None, "procedure", 0),
    _own("displaced", "structure displaced", 1, None, "procedure", 0),
    _own("mri_visits_due", "MRI visits due", 34, None, "subject", 0),
    _own("mri_visits_done", "MRI visits done", 34, None, "subject", 0),
    *_share("complication.ANY", "any complication", "procedure", 27.3, 9.7, 56.6),
    *_share("complication.HAEMORRHAGE", "haemorrhage", "procedure", 0, 0, 25.9),
    *_share("disease_status.NED", "no evidence of disease", "subject", 44.4, 18.9, 73.3),
    *_share("disease_status.AWD", "alive with disease", "subject", 22.2, 6.3, 54.7),
    *_share("disease_status.DOD", "died of disease", "subject", 33.3, 12.1, 64.6),
)
"""What follows from the reconstructed rows: checks of the software."""

FIGURES: Final = PUBLISHED + RECONSTRUCTED
