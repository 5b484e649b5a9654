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
        """Whether every seal fits and all that must be signed validly is."""
        return self.is_complete and all(
            one.state is SignatureState.VALID for one in self.must_be_signed
        )

    def findings(self) -> list[str]:
        """What is wrong, a sentence each; none for what is unsigned or not sealed."""
        return list(self._findings())

    def words(self) -> str:
        """The verdict in one line."""
        if not self.seals:
            said = ["not sealed"]
        elif len({verdict.words() for verdict in self.seals}) == 1 and len(self.seals) > 1:
            said = [f"{self.seals[0].words()} ({len(self.seals)} seals)"]
        else:
            said = [verdict.words() for verdict in self.seals]
        if self.is_sealed and self.after_seal:
            said.append(f"{len(self.after_seal)} after the seal")
        elsewhere = {one for verdict in self.seals for one in verdict.displaced}
        if others := set(self.displaced) - elsewhere:
            said.append(f"{len(others)} displaced")
        if self.voided_seals:
            said.append("void of a seal, without effect")
        if self.reused_numbers:
            said.append("sequence reused")
        return ", ".join(said) + "; " + self._origin_words()

    def _origin_words(self) -> str:
        wrong = [one for one in (*self.must_be_signed, *self.signed_besides) if one.is_finding]
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            return f"{wrong[0].event_type}: {wrong[0].words()}{more}"
        unsigned = [one for one in self.must_be_signed if one.state is SignatureState.UNSIGNED]
        if not self.must_be_signed:
            return "origin not proved"
        if unsigned:
            return f"origin not proved ({len(unsigned)} of {len(self.must_be_signed)} unsigned)"
        holders = ", ".join(sorted({one.holder or "" for one in self.must_be_signed}))
        if not self.is_origin_proved:
            return f"signed by {holders}"
        return f"origin proved: signed by {holders}"

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
