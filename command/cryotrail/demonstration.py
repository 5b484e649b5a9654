"""The published cohort on the whole path: outbox, Kafka, recorder, audit store, marts, figures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from cryotrail.console import progress
from cryotrail.log_signing import anchoring, ensure_home_key, open_signer
from cryotrail.publishing import publish_events
from cryotrail.recording import open_recorder, record
from cryotrail.settings import Settings
from cryotrail_audit.checkpoints.anchors.anchoring import NO_OUTSIDE_ANCHOR, in_words
from cryotrail_audit.checkpoints.anchors.kept import Kept
from cryotrail_audit.store import migrate, open_store
from cryotrail_audit.verification import Verification, verify
from cryotrail_producers import replay
from cryotrail_schemas.errors import CryotrailError
from cryotrail_warehouse.cohort_figures import Comparison, compare
from cryotrail_warehouse.refresh import refresh

ACKNOWLEDGED_WITHIN_S = 120.0


class DemonstrationFailed(CryotrailError):
    """A stage did not reach what the next one needs."""


@dataclass(slots=True)
class Demonstration:
    """What one run found."""

    stages: dict[str, float] = field(default_factory=dict)
    """Seconds of each stage, in order."""
    comparisons: list[Comparison] = field(default_factory=list)
    events: int = 0
    """Events that were published, known ones included."""
    recorded: int = 0
    """Of these, new to the store: none when the cohort was there already."""
    verification: Verification | None = None
    outside_anchor: str = NO_OUTSIDE_ANCHOR
    """What is held of the log outside, in words."""

    @property
    def equal(self) -> bool:
        """Whether there are figures and every one equals its counterpart."""
        return bool(self.comparisons) and all(item.equal for item in self.comparisons)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block under a name."""
        began = time.monotonic()
        yield
        self.stages[name] = round(time.monotonic() - began, 3)


def run(settings: Settings, demonstration: Demonstration) -> None:
    """Publish, record, verify and materialise the shipped cohort, then compare its figures.

    A Kafka must be there (see :func:`cryotrail.embedded.broker.running`). Running it again in the
    same home adds nothing to the log, because a replay has the same event ids and bytes.

    :raises DemonstrationFailed: Kafka did not acknowledge in time, or the store is broken.
    """
    with demonstration.stage("store"):
        origin = migrate(settings.audit_url)
    cohort = replay.reference_cohort()
    with demonstration.stage("publish"):
        total = replay.event_count(cohort)
        published = publish_events(
            lambda as_published: replay.events_of(cohort, as_published=as_published),
            settings,
            ACKNOWLEDGED_WITHIN_S,
            "publish",
            total,
            source=replay.source_of(cohort),
        )
        demonstration.events = published.accepted
        if published.acknowledged < published.accepted:
            raise DemonstrationFailed(
                f"Kafka acknowledged {published.acknowledged} of {published.accepted} events "
                f"within {ACKNOWLEDGED_WITHIN_S:.0f} s ({published.problem})",
                hint="the rest waits in the outbox: run `cryotrail demo` again",
            )
    with demonstration.stage("record"), open_recorder(settings) as recorder:
        demonstration.recorded = record(recorder, until_caught_up=True).tally.recorded
    with demonstration.stage("sign"):
        demonstration.outside_anchor = _sign(settings, origin)
    with demonstration.stage("verify"), progress("verify", None) as advance:
        demonstration.verification = verify(settings.audit_url, advance)
        if demonstration.verification.result == "broken":
            raise DemonstrationFailed(
                f"the audit store is broken at seq {demonstration.verification.first_broken_seq}: "
                f"{demonstration.verification.reason}",
                hint="its marts are not built; keep the file as it is and look at the entry",
            )
    with (
        demonstration.stage("materialise"),
        closing(open_store(settings.audit_url)) as store,
        progress("materialise", None) as advance,
    ):
        outcome = refresh(store, settings.warehouse_dir, settings.site_tz, advance)
    with demonstration.stage("compare"):
        demonstration.comparisons = compare(outcome.path)


def _sign(settings: Settings, origin: str) -> str:
    """Sign what is new in the log, when its key is at hand; how far it is anchored outside."""
    places = anchoring(settings)
    if ensure_home_key(settings, origin):
        with closing(open_signer(settings)) as signer:
            if signer.is_due(waited=True):
                signed = signer.sign()
                notes = Kept(signed.note.to_bytes(), signed.batches_note.to_bytes())
                places.keep(notes, at_once=True)
    return in_words(places.states())
