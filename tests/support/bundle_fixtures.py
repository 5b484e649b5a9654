"""Evidence bundles made once a session: a small sealed procedure, and one of the cohort."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import replayed_cohort
from exported_bundles import ORIGIN, exported
from recorded_events import EventRecorder
from sealed_case import SealedCase, record_sealed

from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.store import migrate, open_store


@dataclass(frozen=True)
class BundledCase:
    """A bundle, and what it was made from."""

    folder: Path
    url: str
    log_key: LogKey
    sealed: SealedCase

    @property
    def public_key(self) -> bytes:
        """The log's public key file."""
        return self.log_key.pinned.to_text().encode()


@pytest.fixture(scope="session")
def new_sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Makes an empty store in a folder of its own and returns its URL."""

    def create() -> str:
        url = f"sqlite:///{tmp_path_factory.mktemp('bundled') / 'audit.sqlite3'}"
        migrate(url, origin=ORIGIN)
        return url

    return create


@pytest.fixture(scope="session")
def small_bundle(
    new_sqlite_store: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> BundledCase:
    """The bundle of a sealed procedure of thirteen entries. Change nothing in it."""
    url, key = new_sqlite_store(), LogKey.create(ORIGIN)
    with closing(open_store(url)) as store:
        sealed = record_sealed(store)
    folder = tmp_path_factory.mktemp("small") / "bundle"
    return BundledCase(exported(url, sealed.procedure_id, folder, key), url, key, sealed)


@pytest.fixture(scope="session")
def cohort_bundle(
    new_sqlite_store: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, bytes]:
    """The bundle of the cohort's first procedure, recorded between others, and the log's key."""
    url, key = new_sqlite_store(), LogKey.create(ORIGIN)
    recorded = [replayed_cohort.of_procedure(name) for name in ("R02", "R01", "R03")]
    with closing(open_store(url)) as store:
        recorder = EventRecorder(store)
        for events in recorded:
            recorder.record_all(events, batch=500)
    folder = tmp_path_factory.mktemp("cohort") / "R01"
    exported(url, recorded[1][0].header.procedure_id, folder, key)
    return folder, key.pinned.to_text().encode()
