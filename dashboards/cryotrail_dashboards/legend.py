"""The timeline's legend as one line of text with drawn symbols, readable by a screen reader.

Vega's own legends would stand once in each panel, break their alignment, and speak of layers.
"""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from cryotrail_dashboards.charts.margin import TARGET_MM
from cryotrail_dashboards.tokens import Tokens, probe_stroke


def timeline_legend(probe_lanes: list[str], has_complication: bool, tokens: Tokens) -> str:
    """HTML of the legend: every symbol of the three panels, then the stroke of each probe."""
    outline = f'stroke="{tokens.ink}" stroke-width="0.7"'
    items = [
        (_bar(tokens.freeze, 14, outline), "F freeze (tall bar)"),
        (_bar(tokens.thaw, 8, outline), "T thaw (short bar)"),
        (_shape(f'<path d="M2 4h12L8 14z" fill="{tokens.ink}"/>'), "probe in"),
        (_shape(f'<path d="M2 13h12L8 3z" fill="{tokens.ink}"/>'), "probe out"),
        (
            _shape(f'<circle cx="8" cy="8" r="5" fill="{tokens.target_reached}"/>'),
            f"CT margin ≥ {TARGET_MM} mm",
        ),
        (
            _shape(f'<path d="M8 2l6 6-6 6-6-6z" fill="{tokens.below_target}"/>'),
            f"CT margin < {TARGET_MM} mm",
        ),
        (
            _shape(f'<rect x="4" y="4" width="8" height="8" fill="{tokens.muted}"/>'),
            "CT without a margin",
        ),
        (_shape(f'<circle cx="8" cy="8" r="3" fill="{tokens.ink}"/>'), "other event"),
    ]
    if has_complication:
        flag = f'<span style="color:{tokens.complication}">⚑</span>'
        items.append((flag, "complication"))
    curves = []
    for order, lane in enumerate(probe_lanes):
        stroke = probe_stroke(order, tokens)
        line = (
            f'<line x1="0" y1="8" x2="34" y2="8" stroke="{stroke.color}" '
            f'stroke-width="{stroke.width_px}" stroke-dasharray="{_dashes(stroke.dash)}"/>'
        )
        curves.append((_shape(line, 34), f"{lane} ({stroke.dash_name})"))
    lines = [_line(items), f"tip temperature: {_line(curves)}"] if curves else [_line(items)]
    body = "".join(f"<div>{line}</div>" for line in lines)
    return f'<div style="color:{tokens.ink};font-size:0.9rem;line-height:1.7">{body}</div>'


def _line(items: list[tuple[str, str]]) -> str:
    return " ".join(
        f'<span style="white-space:nowrap;margin-right:1.1rem">{symbol} {escape(text)}</span>'
        for symbol, text in items
    )


def _shape(inner: str, width: int = 16) -> str:
    # As an image: the page's sanitizer takes drawn elements out of HTML.
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="16" '
        f'viewBox="0 0 {width} 16">{inner}</svg>'
    )
    source = f"data:image/svg+xml,{quote(svg)}"
    return f'<img src="{source}" alt="" width="{width}" height="16" style="vertical-align:-3px">'


def _bar(color: str, height: int, outline: str) -> str:
    top = (16 - height) / 2
    return _shape(
        f'<rect x="1" y="{top}" width="22" height="{height}" fill="{color}" {outline}/>', 24
    )


def _dashes(dash: tuple[int, ...]) -> str:
    return "none" if dash[-1] == 0 else " ".join(map(str, dash))
