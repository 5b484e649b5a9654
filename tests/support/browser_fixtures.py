"""Fixtures of the real browser: Chromium, driven by Playwright, headless and talking to loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from free_ports import free_port
from playwright.sync_api import Browser, Page, sync_playwright

from cryotrail_dashboards.server import serve, stop, wait_until_ready
from cryotrail_dashboards.settings import PageSettings

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
"""As in install-chromium.sh."""

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without these three it looks up hosts of its maker at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of Chromium: ``CRYOTRAIL_CHROMIUM``, else what PATH has under a usual name."""
    path = os.environ.get("CRYOTRAIL_CHROMIUM") or next(
        filter(None, map(shutil.which, CHROMIUM_NAMES)), None
    )
    if path is None:
        pytest.fail(
            "no Chromium: install it (Debian: apt-get install chromium) or set CRYOTRAIL_CHROMIUM",
            pytrace=False,
        )
    return path


# A module's scope, not the session's: Playwright keeps an event loop running in this thread, and
# tests of other modules must be free to run their own.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium_path, headless=True, args=list(CHROMIUM_FLAGS)
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def cohort_pages(
    cohort_home: PageSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a page server over the reference cohort as it came through the real path."""
    port = free_port()
    with (tmp_path_factory.mktemp("pages") / "server.log").open("wb") as log:
        process = serve(cohort_home, port, log=log)
        try:
            yield wait_until_ready(process, port)
        finally:
            stop(process)


@pytest.fixture(scope="module")
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages in contexts of their own: ``new_page(theme="dark", width=1024, zone=...)``.

    They stay open until the module's last test.
    """
    with ExitStack() as contexts:

        def open_one(
            theme: str = "light", width: int = 1440, height: int = 1000, zone: str = "UTC"
        ) -> Page:
            context = browser.new_context(
                color_scheme="dark" if theme == "dark" else "light",
                viewport={"width": width, "height": height},
                timezone_id=zone,
                locale="en-GB",
            )
            contexts.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(30_000)
            return page

        yield open_one
