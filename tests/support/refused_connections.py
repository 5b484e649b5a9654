"""For modules whose tests take a broker away: kafka-python 3.0.12 leaves a socket to the garbage
collector for each connection that is refused."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest

REFUSED_CONNECTIONS = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.usefixtures("refused_connections"),
]
"""The ``pytestmark`` of such a module."""


@pytest.fixture
def refused_connections() -> Iterator[None]:
    """The sockets are collected within the test that left them."""
    # A captured log record would keep the refused connection's exception, and so its socket.
    library = logging.getLogger("kafka")
    before = library.level
    library.setLevel(logging.CRITICAL)
    yield
    library.setLevel(before)
    gc.collect()  # Here, where the warning above is ignored.
