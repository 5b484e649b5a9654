"""A real browser opens a procedure that came through Kafka, the store and the marts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import quote

import pytest
from browser_pages import console_errors, metrics, open_charts, outside_requests, texts
from playwright.sync_api import Page

from cryotrail_dashboards.tokens import tokens_of

NewPage = Callable[..., Page]

PLOT_AREAS = """
() => [...document.querySelectorAll('[data-testid=stVegaLiteChart] svg')].map(svg => {
  const area = svg.querySelector('.mark-group.role-frame.root path.background');
  const box = area.getBoundingClientRect();
  return {left: box.left, right: box.right};
})
"""

BARS = """
color => [...document.querySelectorAll(`svg .mark-rect path[fill="${color}"]`)].map(bar => {
  const box = bar.getBoundingClientRect();
  return {top: box.top, bottom: box.bottom};
})
"""

GONE = """
gone => ![...document.querySelectorAll('[data-testid=stVegaLiteChart] svg text')]
  .some(text => text.textContent === gone)
"""

CLIPPED = """
() => [...document.querySelectorAll('[data-testid=stMetricValue] *')]
  .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0).map(e => e.textContent)
"""


class Visit(NamedTuple):
    """A page that was opened, and what happened meanwhile."""

    page: Page
    outside_requests: list[str]
    console_errors: list[str]


@pytest.fixture(scope="module")
def first(new_page: NewPage, cohort_pages: str) -> Visit:
    """The first procedure, opened once for the tests that only read it."""
    page = new_page()
    visit = Visit(page, outside_requests(page, cohort_pages), console_errors(page))
    open_charts(page, f"{cohort_pages}/procedure?procedure=CRYO-0001", 3)
    return visit


@pytest.mark.parametrize("width", [1440, 1024])
def test_the_three_panels_share_their_left_and_right_edges(
    new_page: NewPage, cohort_pages: str, width: int
) -> None:
    page = new_page(width=width)

    open_charts(page, f"{cohort_pages}/procedure?procedure=CRYO-0009", 3)
    areas = page.evaluate(PLOT_AREAS)

    assert len(areas) == 3
    for edge in ("left", "right"):
        found = [area[edge] for area in areas]
        assert max(found) - min(found) <= 1  # Vega rounds the size of each title by itself
    assert page.evaluate(CLIPPED) == []


def test_the_figures_are_those_of_the_recorded_procedure(first: Visit) -> None:
    assert metrics(first.page) == {
        "Procedure length": "96 min",
        "Probes": "2",
        "Completed cycles": "2",
        "Margin at last check": "10.3 mm",
        "Embolized before": "yes",
        "Complications": "0",
    }
    assert first.page.get_by_text("RECONSTRUCTED data").is_visible()
    assert "embolization" in " ".join(texts(first.page))


def test_a_browser_elsewhere_reads_the_sites_clock(new_page: NewPage, cohort_pages: str) -> None:
    page = new_page(zone="America/New_York")

    open_charts(page, f"{cohort_pages}/procedure?procedure=CRYO-0001", 3)
    labels = texts(page)

    assert "wall clock, Asia/Tokyo (UTC+09:00), 2012-01-19" in labels
    assert "10:00" in labels
    assert "T+0" in labels


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lanes_do_not_overlap_and_take_the_colours_of_the_theme(
    new_page: NewPage, cohort_pages: str, theme: str
) -> None:
    tokens = tokens_of(theme)
    page = new_page(theme=theme)

    open_charts(page, f"{cohort_pages}/procedure?procedure=CRYO-0009", 3)
    freezes = page.evaluate(BARS, tokens.freeze)
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    lanes = sorted({(round(bar["top"]), round(bar["bottom"])) for bar in freezes})

    assert len(freezes) == 9
    assert len(lanes) == 3
    assert all(above[1] < below[0] for above, below in pairwise(lanes))
    assert background == rgb(tokens.page)
    assert page.locator(f'svg path[fill="{tokens.target_reached}"]').count() > 0


def test_the_arrow_keys_move_the_window_and_the_address_follows(
    new_page: NewPage, cohort_pages: str
) -> None:
    page = new_page()
    open_charts(page, f"{cohort_pages}/procedure?procedure=CRYO-0001&from=20&to=60", 3)
    assert "T+20" in texts(page)

    page.get_by_role("slider").first.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**from=30**")
    page.wait_for_function(GONE, arg="T+20")

    assert "to=60" in page.url
    assert "T+30" in texts(page)


def test_an_unknown_procedure_is_not_found(new_page: NewPage, cohort_pages: str) -> None:
    page = new_page()

    page.goto(f"{cohort_pages}/procedure?procedure=CRYO-9999")
    page.get_by_text("procedure 'CRYO-9999' was not found").wait_for()

    assert page.locator("[data-testid=stVegaLiteChart]").count() == 0


def test_a_page_asks_no_other_host_and_breaks_no_rule_of_its_policy(first: Visit) -> None:
    assert first.outside_requests == []
    assert first.console_errors == []


def test_an_address_cannot_put_a_link_on_the_page(new_page: NewPage, cohort_pages: str) -> None:
    page = new_page()
    link = "[open](https://attacker.example) https://attacker.example www.attacker.example"

    page.goto(f"{cohort_pages}/procedure?procedure={quote(link)}")
    page.get_by_text("was not found").wait_for()

    assert page.locator("[data-testid=stAlert] a").count() == 0


def test_each_chart_says_what_it_shows(first: Visit) -> None:
    names: list[str] = first.page.locator("[data-testid=stVegaLiteChart]").evaluate_all(
        "all => all.map(e => e.getAttribute('aria-label'))"
    )

    assert "Lanes of 2 probes with 4 freeze and thaw cycles" in names[0]
    assert names[1].startswith("Tip temperatures between")
    assert "the last margin is 10.3 mm" in names[2]


def rgb(color: str) -> str:
    """``#171614`` as browsers print it."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"
