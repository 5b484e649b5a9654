"""What the recorder cannot do, and whether waiting helps.

RecorderError
├── SourceError               reading Kafka failed
│   ├── TopicMissing          a topic that is to be read does not exist; retriable
│   ├── SourceInterrupted     the broker went away, or a log changed while it was read; retriable
│   ├── LogDamaged            the bytes of a log are not those that were written; retriable
│   └── CodecMissing          records are compressed in a way that cannot be read here
├── TakenOver                 every partition was claimed by another recorder
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
    """Another recorder claimed the partitions that this one was reading."""


class KeyMissing(RecorderError):
    """The bytes of a quarantined record are sealed; their key is destroyed, or on another machine."""


class CorrectionRefused(RecorderError):
    """What an operator gives in the place of a quarantined record's bytes cannot be kept."""
