"""The verdict on a procedure: what its seals, signatures and numbers say together, and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from cryotrail_audit.origin.seals import SealVerdict
from cryotrail_audit.origin.signatures import Judgement, SignatureState


@dataclass(frozen=True, slots=True)
class ReusedNumber:
    """A delivery number that stands on two events."""

    producer_id: str
    is_telemetry: bool
    procedure_seq: int
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class OriginVerdict:
    """Whether what was recorded of a procedure is what its producers published."""

    procedure_id: UUID
    seals: tuple[SealVerdict, ...]
    """One an outbox, in the order of the log."""
    after_seal: tuple[UUID, ...]
    """Events that no seal covers, where there is one: after-care, corrections, other outboxes."""
    must_be_signed: tuple[Judgement, ...]
    """Seals, corrections and what is after the seal."""
    signed_besides: tuple[Judgement, ...]
    """Others that carry a signature."""
    displaced: tuple[UUID, ...]
    """Events whose sealed or signed content is in the store as a conflict: another came first."""
    withheld: int
    """Copies that came again after an erasure, without the text that was erased. No finding."""
    voided_seals: tuple[UUID, ...]
    """Seals that an EventVoided names. They stand."""
    reused_numbers: tuple[ReusedNumber, ...]
    quarantined: int
    """Records of the procedure that could not be read; what is missing may be among them."""

    @property
    def is_sealed(self) -> bool:
        """Whether there is a seal that can be read."""
        return any(verdict.seal is not None for verdict in self.seals)

    @property
    def is_complete(self) -> bool:
        """Whether every seal fits."""
        return self.is_sealed and all(verdict.is_complete for verdict in self.seals)

    @property
    def is_origin_proved(self) -> bool:
        """Whether every seal fits, all that must be signed validly is, and nothing is wrong."""
        return (
            self.is_complete
            and all(one.state is SignatureState.VALID for one in self.must_be_signed)
            and not self.problems()
        )

    @property
    def standing(self) -> str:
        """``to be looked at``, ``all is well``, or ``no finding``: nothing wrong, not all proved."""
        if self.problems():
            return "to be looked at"
        return "all is well" if self.is_origin_proved else "no finding"

    def findings(self) -> list[str]:
        """What is wrong, a sentence each; none for what is unsigned or not sealed."""
        return list(self._findings())

    def problems(self) -> list[str]:
        """The findings, a few words each."""
        said = [verdict.words() for verdict in self.seals if not verdict.is_complete]
        elsewhere = {one for verdict in self.seals for one in verdict.displaced}
        if others := set(self.displaced) - elsewhere:
            said.append(f"{len(others)} displaced")
        wrong = [one for one in (*self.must_be_signed, *self.signed_besides) if one.is_finding]
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            said.append(f"{wrong[0].event_type}: {wrong[0].words()}{more}")
        if self.voided_seals:
            said.append("void of a seal, without effect")
        if self.reused_numbers:
            said.append("sequence reused")
        return said

    def completeness(self) -> str:
        """Whether it is all: ``sealed and complete``, ``not complete`` or ``not sealed``."""
        if not self.seals:
            return "not sealed"
        several = f" ({len(self.seals)} seals)" if len(self.seals) > 1 else ""
        return ("sealed and complete" if self.is_complete else "not complete") + several

    def remarks(self) -> list[str]:
        """What is as it should be, and good to know."""
        said = []
        if self.is_sealed and self.after_seal:
            said.append(f"{len(self.after_seal)} after the seal")
        if self.withheld:
            copies = "copy" if self.withheld == 1 else "copies"
            said.append(f"{self.withheld} {copies} without erased text")
        return said

    def words(self) -> str:
        """The verdict in one line: how it stands and what is wrong, is it all, whose is it, remarks.

        ``all is well: sealed and complete; origin proved: signed by CT room 2; 1 after the seal``
        """
        problems = ", ".join(self.problems())
        said = [problems] if problems else []
        said += [self.completeness(), self._origin_words()]
        if remarks := self.remarks():
            said.append(", ".join(remarks))
        return f"{self.standing}: " + "; ".join(said)

    def _origin_words(self) -> str:
        unsigned = [one for one in self.must_be_signed if one.state is SignatureState.UNSIGNED]
        if unsigned:
            return f"origin not proved ({len(unsigned)} of {len(self.must_be_signed)} unsigned)"
        if not self.must_be_signed or any(one.is_finding for one in self.must_be_signed):
            return "origin not proved"
        holders = ", ".join(sorted({one.holder or "" for one in self.must_be_signed}))
        return f"{'origin proved: ' if self.is_origin_proved else ''}signed by {holders}"

    def _findings(self) -> Iterator[str]:
        for verdict in self.seals:
            if not verdict.is_complete:
                yield f"seal {verdict.event_id}: {verdict.words()}"
            if verdict.missing and self.quarantined:
                yield f"{self.quarantined} quarantined records may be what is missing"
        for event_id in self.displaced:
            yield f"{event_id}: displaced, the producer's content is recorded as a conflict"
        for one in (*self.must_be_signed, *self.signed_besides):
            if one.is_finding:
                yield f"{one.event_type} {one.event_id}: {one.words()}"
        for event_id in self.voided_seals:
            yield f"an EventVoided names the seal {event_id}: it has no effect"
        for number in self.reused_numbers:
            topic = "telemetry " if number.is_telemetry else ""
            ids = " and ".join(map(str, number.event_ids))
            yield f"{topic}number {number.procedure_seq} of {number.producer_id} is on {ids}"
