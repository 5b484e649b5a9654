"""A failure that nobody foresaw is told by a number; its words stay in the server's log."""

from __future__ import annotations

import logging

import pytest
from streamlit.testing.v1 import AppTest


def failing_page() -> None:
    from cryotrail_dashboards.failure import show_failure

    try:
        raise ValueError("a name that no page may show")
    except ValueError as error:
        assert show_failure(error)


def test_the_page_shows_a_number_and_the_log_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="cryotrail_dashboards"):
        page = AppTest.from_function(failing_page, default_timeout=30).run()

    (shown,) = [error.value for error in page.error]
    incident = shown.removesuffix(".").rsplit(" ", 1)[-1]

    assert "a name that no page may show" not in shown
    assert f"incident {incident}" in caplog.text
    assert "a name that no page may show" in caplog.text
