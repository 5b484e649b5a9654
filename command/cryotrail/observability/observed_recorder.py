"""A recorder that answers for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cryotrail.observability.health import Health
from cryotrail.observability.readiness import recorder_reads, store_answers
from cryotrail.observability.recorder_metrics import RecorderMetrics
from cryotrail.observability.serving import serving
from cryotrail.recording import open_recorder
from cryotrail.settings import Settings
from cryotrail_consumers.recording.recorder import Recorder


@contextmanager
def observed_recorder(
    settings: Settings, address: str, *, quarantine_unknown: bool = False
) -> Iterator[Recorder]:
    """:func:`~cryotrail.recording.open_recorder` with ``/healthz``, ``/readyz`` and ``/metrics``.

    It answers from the beginning, so that it can be seen what a recorder that cannot begin lacks.

    :raises EndpointsRefused: the address is none, or cannot be listened on.
    """
    metrics = RecorderMetrics()
    health = Health(
        {"recorder": metrics.heartbeat.age_s},
        {
            "store": store_answers(settings.audit_url),
            "kafka": recorder_reads(lambda: metrics.tally),
        },
    )
    with (
        serving(address, "recorder", [metrics], health),
        open_recorder(settings, metrics, quarantine_unknown=quarantine_unknown) as recorder,
    ):
        yield recorder
