"""What a site would record beyond a replay: values, doses, and events of more kinds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from cryotrail_producers.replay.case import Case
from cryotrail_producers.simulate.chance import Chance
from cryotrail_schemas.events import (
    ActorRole,
    Analyte,
    CaseDecisionRecorded,
    ChecklistCompleted,
    ChecklistPhase,
    ComplicationReported,
    ComplicationResolved,
    CtAcquired,
    Decision,
    Destination,
    DisplacementPerformed,
    Enhancement,
    Event,
    FreezeStarted,
    Grading,
    GradingScale,
    HaemostasisApplied,
    Intent,
    Interpretation,
    LabResultRecorded,
    PatientDischarged,
    ProbeInserted,
    ProcedureEnded,
    ProcedureScheduled,
    Recist,
    ResolutionOutcome,
    ResponseAssessed,
    Side,
    Structure,
    TechnicalSuccessAssessed,
    Tissue,
    TractChecked,
)

STRUCTURES = (Structure.PERIPHERAL_NERVE, Structure.BOWEL, Structure.VESSEL, Structure.SKIN)


class Elaboration:
    """Fills in one procedure's events with made-up values, and adds those that go with them."""

    def __init__(self, case: Case, chance: Chance, label: str) -> None:
        self._case = case
        self._chance = chance
        self._label = label

    def of(self, event: Event) -> Iterator[Event]:
        """The event with its values, and what is recorded beside it."""
        match event:
            case ProcedureScheduled():
                yield from self._scheduled(event)
            case LabResultRecorded(analyte=Analyte.COAGULATION_SCREEN):
                yield event
                yield from self._values(event.header.occurred_at)
            case CtAcquired():
                yield self._dose(event)
            case DisplacementPerformed():
                yield replace(event, volume_ml=float(self._chance.between(50, 400)))
            case ProbeInserted():
                yield self._probe(event)
            case FreezeStarted():
                yield replace(event, flow_pct=100.0)
            case TractChecked():
                yield from self._tract(event)
            case ProcedureEnded():
                yield from self._end(event)
            case PatientDischarged():
                yield replace(event, destination=Destination.HOME)
            case ComplicationReported():
                yield from self._complication(event)
            case ResponseAssessed():
                yield replace(event, enhancement=Enhancement.NONE, recist=Recist.SD)
            case _:
                yield event

    def _scheduled(self, event: ProcedureScheduled) -> Iterator[Event]:
        chance, bone = self._chance, event.tissue is Tissue.BONE
        yield replace(
            event,
            procedure_label=self._label,
            ecog_grade=chance.between(0, 2),
            intent=chance.pick((Intent.LOCAL_CONTROL, Intent.PALLIATIVE)),
            side=chance.pick((Side.LEFT, Side.RIGHT)),
            weight_bearing=chance.happens(50) if bone else False,
            skin_distance_mm=float(chance.between(15, 90)),
            nearest_structure=chance.pick(STRUCTURES),
            nearest_structure_distance_mm=float(chance.between(5, 40)),
            prior_irradiation=chance.happens(25),
        )
        decided_at = event.header.occurred_at + timedelta(days=1)
        yield CaseDecisionRecorded(
            header=self._case.headers.make(CaseDecisionRecorded, decided_at, ActorRole.OPERATOR),
            decision=Decision.APPROVED,
            intent=Intent.LOCAL_CONTROL,
        )

    def _values(self, resulted_at: datetime) -> Iterator[LabResultRecorded]:
        chance = self._chance
        for analyte, value, unit_ucum in (
            (Analyte.INR, chance.between(9, 13) / 10, "1"),
            (Analyte.PLATELETS, float(chance.between(120, 380)), "10*9/L"),
            (Analyte.CRP, float(chance.between(1, 12)), "mg/L"),
        ):
            yield LabResultRecorded(
                header=self._case.headers.make(LabResultRecorded, resulted_at, ActorRole.NURSE),
                analyte=analyte,
                value=value,
                unit_ucum=unit_ucum,
                interpretation=Interpretation.NORMAL,
                collected_at=resulted_at - timedelta(hours=2),
            )

    def _dose(self, event: CtAcquired) -> CtAcquired:
        chance = self._chance
        return replace(
            event,
            dlp_mgycm=Decimal(chance.between(4_000, 45_000)).scaleb(-2),
            ctdi_vol_mgy=Decimal(chance.between(200, 1_800)).scaleb(-2),
        )

    def _probe(self, event: ProbeInserted) -> ProbeInserted:
        chance = self._chance
        return replace(
            event,
            gauge=17,
            depth_mm=float(chance.between(30, 140)),
            angle_deg=float(chance.between(0, 60)),
            leak_tested=True,
        )

    def _tract(self, event: TractChecked) -> Iterator[Event]:
        bleeding = self._chance.happens(5)
        yield replace(event, bleeding=bleeding)
        if bleeding:
            applied_at = event.header.occurred_at + timedelta(seconds=30)
            yield HaemostasisApplied(
                header=self._case.headers.make(
                    HaemostasisApplied, applied_at, ActorRole.OPERATOR, probe=event.probe_id
                ),
                probe_id=event.probe_id,
                agent_text="gelatin sponge",
            )

    def _end(self, event: ProcedureEnded) -> Iterator[Event]:
        make, ended_at = self._case.headers.make, event.header.occurred_at
        yield ChecklistCompleted(
            header=make(ChecklistCompleted, ended_at, ActorRole.NURSE),
            phase=ChecklistPhase.SIGN_OUT,
        )
        yield TechnicalSuccessAssessed(
            header=make(TechnicalSuccessAssessed, ended_at, ActorRole.OPERATOR), successful=True
        )
        yield event

    def _complication(self, event: ComplicationReported) -> Iterator[Event]:
        reported_at = event.header.occurred_at
        grading = Grading(
            scale=GradingScale.CTCAE_5,
            scale_version="5.0",
            grade=str(self._chance.between(1, 3)),
            graded_on=reported_at.date(),
        )
        yield replace(event, onset_at=reported_at, gradings=(grading,))
        if self._chance.happens(70):
            resolved_at = reported_at + timedelta(days=self._chance.between(2, 60))
            yield ComplicationResolved(
                header=self._case.headers.make(
                    ComplicationResolved, resolved_at, ActorRole.OPERATOR
                ),
                complication_id=event.complication_id,
                outcome=ResolutionOutcome.RESOLVED,
            )
