"""A home that has run the demonstration: the cohort published, recorded and materialised."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from kafka_fixtures import home_settings

from cryotrail.embedded import broker
from cryotrail.settings import Settings


@dataclass(frozen=True)
class CohortHome:
    """The home, its running Kafka, and what the demonstration said as JSON."""

    settings: Settings
    demonstration: Mapping[str, Any]

    @property
    def warehouse_dir(self) -> Any:
        return self.settings.warehouse_dir

    @property
    def audit_url(self) -> str:
        return self.settings.audit_url

    @property
    def site_tz(self) -> str:
        return self.settings.site_tz

    def cryotrail(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command in this home, as a user does; settings by name without their prefix."""
        given = {f"CRYOTRAIL_{name}": value for name, value in environment.items()}
        return subprocess.run(
            [sys.executable, "-m", "cryotrail.main", *arguments],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            env=os.environ
            | {
                "CRYOTRAIL_HOME": str(self.settings.home),
                "CRYOTRAIL_CACHE_DIR": str(self.settings.cache_dir),
                "CRYOTRAIL_SITE_TZ": self.settings.site_tz,
            }
            | given,
        )


@pytest.fixture(scope="session")
def cohort_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CohortHome]:
    """The demonstration on an empty home, once a session; its Kafka runs on. Add nothing to it."""
    settings = home_settings(tmp_path_factory.mktemp("cohort-home"), SITE_TZ="Asia/Tokyo")
    with broker.running(settings):
        ran = CohortHome(settings, {}).cryotrail("demo", "--no-dashboard", "--json")
        assert ran.returncode == 0, ran.stderr
        yield CohortHome(settings, json.loads(ran.stdout))
