"""What a browser test reads off a page of the dashboards."""

from __future__ import annotations

from playwright.sync_api import Page

_CHARTS = "[data-testid=stVegaLiteChart] svg"


def open_charts(page: Page, address: str, count: int) -> None:
    """Open a page and wait until its charts are drawn and its script has ended."""
    page.goto(address)
    page.locator(_CHARTS).nth(count - 1).wait_for()
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def metrics(page: Page) -> dict[str, str]:
    """Label and value of every metric, with plain spaces."""
    labels = page.locator("[data-testid=stMetricLabel] p").all_inner_texts()
    values = page.locator("[data-testid=stMetricValue]").all_inner_texts()
    return dict(zip(labels, map(_plain, values), strict=True))


def texts(page: Page) -> list[str]:
    """Every text that the charts draw, with plain spaces."""
    return [_plain(text) for text in page.locator(f"{_CHARTS} text").all_text_contents()]


def outside_requests(page: Page, own: str) -> list[str]:
    """Fills with the addresses of other hosts that the page asks; call it before opening."""
    asked: list[str] = []

    def note(address: str) -> None:
        if not address.startswith((own, own.replace("http", "ws", 1), "data:", "blob:")):
            asked.append(address)

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda opened: note(opened.url))
    return asked


def console_errors(page: Page) -> list[str]:
    """Fills with what the browser complains of; call it before opening.

    Not counted: under a deep link Streamlit asks for its health and its host's configuration below
    the page's own path first, is told "not found" twice, and then asks at the root.
    """
    said: list[str] = []
    page.on(
        "console",
        lambda message: (
            said.append(message.text)
            if message.type in ("error", "warning") and "/_stcore/" not in message.location["url"]
            else None
        ),
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ").strip()
