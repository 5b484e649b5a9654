"""Settings of a publisher: small frozen values, passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryotrail_producers.outbox_file.budget import Budget
from cryotrail_schemas.events import Channel


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """How the sender drains an outbox. The defaults suit one room and a replay alike."""

    in_flight_rows: int = 1000
    """Records handed to Kafka and not yet acknowledged, over all procedures."""
    batch_rows: int = 500
    """Records of one procedure handed over together; the next only after all are acknowledged."""
    window_bytes: int = 8 * 2**20
    """Records held in memory, waiting or in flight."""
    poll_s: float = 0.05
    """How often other processes' appends are looked for."""
    gather_s: float = 0.2
    """How long rows gather after some were handed over, while few come. The first after a pause
    goes at once; none waits longer for this."""
    log_check_s: float = 60.0
    """How often a log is asked whether it can still hold what it acknowledged."""
    back_off_min_s: float = 0.1
    back_off_max_s: float = 30.0


@dataclass(frozen=True, slots=True)
class PublisherSettings:
    """Where a publisher keeps its events and what it calls itself."""

    outbox_path: Path
    """SQLite file of clinical events, on a local disk."""
    source: str
    """CloudEvents ``source``, e.g. ``urn:cryotrail:ct-room-2``; at most 256 bytes."""
    outbox_telemetry_path: Path | None = None
    """SQLite file of telemetry; None = beside ``outbox_path``, ``_telemetry`` in its name."""
    signing_key_file: Path | None = None
    """Private key that signs seals, corrections and what follows a seal; None = nothing is signed.
    See :mod:`cryotrail_producers.signing`."""
    clinical_budget: Budget = field(default_factory=lambda: Budget(reserve_bytes=2**20))
    """What may wait of the clinical events; at its bounds they are refused."""
    telemetry_budget: Budget = field(default_factory=Budget)
    """What may wait of the telemetry; at its bounds it is shed or refused."""
    sheddable_channels: frozenset[Channel] = frozenset()
    """Telemetry that may be shed for want of room, and is then reported as lost; other telemetry is
    refused."""
    gap_report_s: float = 60.0
    """While telemetry is being shed, each curve's loss is reported at least so often."""
    traceparent: str | None = None
    """W3C Trace Context of the span of everything that is published without another."""
    grace_s: float = 900.0
    """How long an acknowledged event is kept, to be sent again if the broker loses it."""
    telemetry_sync_s: float = 1.0
    """A power cut may take the telemetry of this span; clinical events are synced one by one."""
    group_events: int = 1000
    """Events that one commit of ``publish_many`` holds."""
    personal_kek_file: Path | None = None
    """File of the key that wraps the keys of personal text; None = text is sent in clear."""
    keys_path: Path | None = None
    """SQLite file of those keys; None = ``keys.sqlite3`` beside ``outbox_path``."""
    status_interval_s: float = 0.5
    """How often the status is looked at: to warn in the log of a bound that is near, and for
    ``on_status``, which is called when it has changed."""
    close_timeout_s: float = 15.0
    """How long ``close`` waits for the sender to let go of the network."""
    sender: SenderSettings = field(default_factory=SenderSettings)

    def telemetry_path(self) -> Path:
        """The telemetry file in force."""
        if self.outbox_telemetry_path is not None:
            return self.outbox_telemetry_path
        path = self.outbox_path
        return path.with_name(f"{path.stem}_telemetry{path.suffix}")

    def key_store_path(self) -> Path:
        """The file of the keys in force."""
        return self.keys_path or self.outbox_path.with_name("keys.sqlite3")
