"""The colours, dashes and strokes of every chart, once for a light and once for a dark page.

Hues follow Okabe and Ito's palette (https://jfly.uni-koeln.de/color/). No meaning rests on colour
alone: freeze and thaw differ in height and letter too, checks in shape, probes in dash and width.
Text reaches a contrast of 4.5 against the page, marks 3 (WCAG 2.2, 1.4.3 and 1.4.11); thaw, too
pale for that on white, always carries an ink outline.
"""

from __future__ import annotations

from dataclasses import dataclass

PROBE_DASHES: tuple[tuple[int, ...], ...] = (
    (1, 0),
    (7, 4),
    (2, 3),
    (10, 3, 2, 3),
    (14, 5),
    (4, 2, 1, 2, 1, 2),
)
"""Dash of each probe's curve in order of insertion: on and off lengths in pixels."""

PROBE_DASH_NAMES = (
    "solid",
    "dashed",
    "dotted",
    "dash-dot",
    "long dashes",
    "dash-dot-dot",
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours (``#rrggbb``) of one theme."""

    name: str
    page: str
    ink: str
    """Text, outlines and symbols."""
    muted: str
    """Axis labels and titles."""
    grid: str
    band: str
    """Background of the bands before and after the procedure."""
    freeze: str
    freeze_label: str
    thaw: str
    thaw_label: str
    target_reached: str
    below_target: str
    complication: str
    threshold: str
    step: str
    """The line that joins margin checks."""
    measured: str
    published: str
    probes: tuple[str, ...]


LIGHT = Tokens(
    name="light",
    page="#ffffff",
    ink="#24292f",
    muted="#57606a",
    grid="#e4e7ea",
    band="#f2f4f6",
    freeze="#0072B2",
    freeze_label="#ffffff",
    thaw="#E69F00",
    thaw_label="#000000",
    target_reached="#00684A",
    below_target="#B34700",
    complication="#B3001B",
    threshold="#6A3D9A",
    step="#76797d",
    measured="#0B5FA5",
    published="#8A5A00",
    probes=("#24292f", "#0B5FA5", "#A34A00", "#6A3D9A", "#00684A", "#A4134F"),
)

DARK = Tokens(
    name="dark",
    page="#171614",
    ink="#edebe8",
    muted="#b8b3a8",
    grid="#34322e",
    band="#211f1c",
    freeze="#0072B2",
    freeze_label="#ffffff",
    thaw="#E69F00",
    thaw_label="#000000",
    target_reached="#4FC3A1",
    below_target="#FFB066",
    complication="#FF8A80",
    threshold="#C9A0E8",
    step="#8a8a8a",
    measured="#8EC5FF",
    published="#F2C14E",
    probes=("#edebe8", "#8EC5FF", "#F2A56D", "#C9A0E8", "#4FC3A1", "#FF9EC4"),
)


def tokens_of(theme: str | None) -> Tokens:
    """The tokens of the theme a browser reports; light while it has reported none."""
    return DARK if theme == "dark" else LIGHT


@dataclass(frozen=True, slots=True)
class ProbeStroke:
    """How the curve of one probe is drawn."""

    color: str
    dash: tuple[int, ...]
    dash_name: str
    width_px: float


def probe_stroke(order: int, tokens: Tokens) -> ProbeStroke:
    """The stroke of the probe that was inserted as number ``order`` (from 0).

    Later curves are thinner and lie on top, so that probes that freeze together, whose curves
    coincide, are all seen. Colour and dash repeat together only after 36 probes.
    """
    dash = (order + order // len(tokens.probes)) % len(PROBE_DASHES)
    return ProbeStroke(
        color=tokens.probes[order % len(tokens.probes)],
        dash=PROBE_DASHES[dash],
        dash_name=PROBE_DASH_NAMES[dash],
        width_px=max(1.4, 3.6 - 0.9 * order),
    )
