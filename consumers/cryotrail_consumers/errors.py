"""What the recorder cannot do, and whether waiting helps.

RecorderError
├── SourceError               reading Kafka failed
│   ├── TopicMissing          a topic that is to be read does not exist; retriable
│   ├── SourceInterrupted     the broker went away, or a log changed while it was read; retriable
│   ├── LogDamaged            the bytes of a log are not those that were written; retriable
│   └── CodecMissing          records are compressed in a way that cannot be read here
├── TakenOver                 another recorder has the partitions, or this one's name in the group
├── ResetRefused              a position cannot be moved there, or not without saying more
├── GivenUp                   what is away was waited for as long as was asked
├── RelayRefused              the cluster does not take a dead letter; retriable
├── KeyMissing                quarantined bytes are sealed, and their key is not here
└── CorrectionRefused         what an operator gives for a quarantined record cannot be kept
"""

from __future__ import annotations

from cryotrail_schemas.errors import CryotrailError


class RecorderError(CryotrailError):
    """Root of the errors of the recorder.

    A record that cannot be read is none of them: it is quarantined, and the recorder goes on.
    """


class SourceError(RecorderError):
    """Reading Kafka failed; what the source has buffered is not to be used any more."""


class TopicMissing(SourceError):
    """The cluster does not have a topic, or is just re-creating it."""

    retriable = True


class SourceInterrupted(SourceError):
    """Reading has to start over from the recorded positions.

    The broker did not answer, or the log under a partition is no longer the one that was checked.
    """

    retriable = True


class LogDamaged(SourceError):
    """A batch of a log fails its checksum or is no batch; nothing of it was passed over.

    The other partitions can be read once this one is left alone.
    """

    retriable = True


class CodecMissing(SourceError):
    """Records are compressed with a codec whose library is missing; none of them was skipped."""


class TakenOver(RecorderError):
    """Another recorder claimed the partitions, or joined the group under this one's name."""


class ResetRefused(RecorderError):
    """A position cannot be moved as asked; none was moved."""


class GivenUp(RecorderError):
    """What is away did not come back in time; all that was recorded stays."""

    def __init__(self, after_s: float, error: CryotrailError) -> None:
        super().__init__(
            f"given up after {after_s:g} s of waiting: {error}",
            hint=f"{error.hint + '; then ' if error.hint else ''}run it again: nothing is lost and"
            " nothing is recorded twice",
        )


class RelayRefused(RecorderError):
    """A dead letter was not acknowledged; the store has it, and it is tried again."""

    retriable = True


class KeyMissing(RecorderError):
    """The bytes of a quarantined record are sealed; their key is destroyed, or on another machine."""


class CorrectionRefused(RecorderError):
    """What an operator gives in the place of a quarantined record's bytes cannot be kept."""
