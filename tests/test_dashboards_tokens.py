"""Every colour is readable in its theme, and every probe has a stroke of its own."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import cryotrail_dashboards
from cryotrail_dashboards.tokens import DARK, LIGHT, Tokens, probe_stroke, tokens_of

TEXT = ("ink", "muted", "target_reached", "below_target", "complication", "threshold")
MARKS = ("freeze", "target_reached", "below_target", "step", "measured", "published")


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2, definition)."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2, definition)."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda t: t.name)
def test_text_and_marks_stand_out_from_the_page_and_from_the_bands(tokens: Tokens) -> None:
    for background in (tokens.page, tokens.band):
        for name in TEXT:
            assert contrast(getattr(tokens, name), background) >= 4.5, name
        for name in MARKS:
            assert contrast(getattr(tokens, name), background) >= 3.0, name
    for color in tokens.probes:
        assert contrast(color, tokens.page) >= 3.0, color


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda t: t.name)
def test_labels_are_readable_on_their_bars(tokens: Tokens) -> None:
    assert contrast(tokens.freeze_label, tokens.freeze) >= 4.5
    assert contrast(tokens.thaw_label, tokens.thaw) >= 4.5
    assert contrast(tokens.ink, tokens.page) >= 7.0  # the outline that pale thaw bars need


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda t: t.name)
def test_the_pages_own_text_is_readable_and_its_background_is_the_one_charts_expect(
    tokens: Tokens,
) -> None:
    file = Path(cryotrail_dashboards.__file__).parent / ".streamlit" / "config.toml"
    theme = tomllib.loads(file.read_text(encoding="utf-8"))["theme"][tokens.name]

    assert theme["backgroundColor"] == tokens.page
    for background in ("backgroundColor", "secondaryBackgroundColor"):
        for name in ("textColor", "grayTextColor", "linkColor", "primaryColor"):
            assert contrast(theme[name], theme[background]) >= 4.5, (name, background)


def test_six_probes_differ_in_colour_and_in_dash_and_thirty_six_in_one_of_them() -> None:
    first_six = [probe_stroke(order, LIGHT) for order in range(6)]
    all_strokes = {(s.color, s.dash) for s in (probe_stroke(o, LIGHT) for o in range(36))}

    assert len({stroke.color for stroke in first_six}) == 6
    assert len({stroke.dash for stroke in first_six}) == 6
    assert len(all_strokes) == 36


def test_later_curves_are_thinner_so_that_equal_curves_are_all_seen() -> None:
    widths = [probe_stroke(order, LIGHT).width_px for order in range(3)]

    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3


def test_a_browser_that_reports_no_theme_gets_the_light_one() -> None:
    assert tokens_of(None) is LIGHT
    assert tokens_of("dark") is DARK
