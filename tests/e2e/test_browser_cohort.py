"""A real browser reads the cohort's figures, and they are those of the paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser_pages import metrics, open_charts, texts
from playwright.sync_api import Page

NewPage = Callable[..., Page]

COHORT_CHARTS = 8


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1024)])
def test_the_cohort_page_equals_the_paper(
    new_page: NewPage, cohort_pages: str, theme: str, width: int
) -> None:
    page = new_page(theme=theme, width=width)

    open_charts(page, f"{cohort_pages}/cohort", COHORT_CHARTS)
    labels = texts(page)

    assert metrics(page) == {
        "Procedures": "11",
        "Mean duration": "101.1 min",
        "Range": "63–187 min",
        "Mean probes": "2.4",
        "Range of probes": "2–3",
        "With a complication": "3 of 11",
    }
    assert "this cohort: mean 101.1 min (63–187)" in labels
    assert "published: mean 101.1 min (63–187)" in labels
    assert "median 35 months (2 at risk)" in labels
    assert "3 of 11 (27.3 %, 95 % interval 9.7–56.6 %)" in labels
    assert page.get_by_text("RECONSTRUCTED data").is_visible()


def test_numbers_at_risk_stand_under_the_curve(new_page: NewPage, cohort_pages: str) -> None:
    page = new_page()

    open_charts(page, f"{cohort_pages}/cohort", COHORT_CHARTS)
    rows = page.locator("[data-testid=stVegaLiteChart]").last.locator(".mark-text.role-mark text")

    assert rows.all_text_contents() == ["9", "8", "5", "1", "1", "0", "1", "2", "3", "3"]


def test_every_published_and_implied_figure_is_equal(new_page: NewPage, cohort_pages: str) -> None:
    page = new_page()

    open_charts(page, f"{cohort_pages}/cohort", COHORT_CHARTS)
    sentence = page.get_by_text("figures that Susa et al.").inner_text()
    equal, _, total = sentence.split()[:3]

    assert equal == total
    assert int(total) > 50
