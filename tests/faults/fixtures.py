"""The stage as a fixture: one cluster and one database server for the tests of a file."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest

from faults.stage import Stage, environment_for_children


@pytest.fixture(scope="module")
def _module_stage() -> Iterator[Stage]:
    environment_for_children()
    with Stage() as stage:
        yield stage


@pytest.fixture
def stage(_module_stage: Stage, caplog: pytest.LogCaptureFixture) -> Iterator[Stage]:
    """A three-node Kafka and a PostgreSQL that a test may break, mended before it begins.

    kafka-python 3.0.12 leaves a socket to the garbage collector for each connection that is
    refused: a module that uses this ignores ``unclosed <socket:ResourceWarning``.
    """
    # A captured log record would keep the refused connection's exception, and so its socket.
    caplog.set_level(logging.CRITICAL, "kafka")
    _module_stage.heal()
    yield _module_stage
    gc.collect()  # Here, where the warning above is ignored.
