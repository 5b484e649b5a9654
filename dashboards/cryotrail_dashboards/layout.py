"""Pieces that every page is laid out with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cryotrail_dashboards.clock import age, site_time, utc_now, zone_label
from cryotrail_dashboards.literal import literal
from cryotrail_dashboards.queries.publication import PublicationRow
from cryotrail_dashboards.units import ABSENT, origin_label
from cryotrail_schemas.errors import CryotrailError

METRICS_A_ROW = 3
"""More than three a row lose digits on a narrow screen, and a clipped margin is dangerous."""


def show_refusal(refusal: CryotrailError) -> None:
    """Say in plain words what was refused, and what to do about it."""
    st.error(literal(str(refusal)), icon=":material/error:")
    if refusal.hint:
        st.info(literal(refusal.hint), icon=":material/arrow_forward:")


def show_origin(counts: Mapping[str, int]) -> None:
    """Label data that is not live; nothing is shown for live data.

    :param counts: number of procedures shown by their ``data_origin``.
    """
    label = origin_label(counts)
    if label:
        st.warning(label, icon=":material/science:")


def show_freshness(meta: PublicationRow, zone: ZoneInfo) -> None:
    """One line: which publication this is, how old, and how far it read the log."""
    published = site_time(meta.published_at, zone)
    st.markdown(
        f":gray[Publication {meta.publication_no}, published {published} "
        f"{zone_label(meta.published_at, zone)}, {age(meta.published_at, utc_now())} ago, "
        f"read from the first {meta.audit_tree_size:,} entries of the audit log.]"
    )


def show_metrics(metrics: Mapping[str, str], helps: Mapping[str, str] | None = None) -> None:
    """Label and value, three a row."""
    items = list(metrics.items())
    for first in range(0, len(items), METRICS_A_ROW):
        columns = st.columns(METRICS_A_ROW)
        for column, (label, value) in zip(
            columns, items[first : first + METRICS_A_ROW], strict=False
        ):
            column.metric(label, value, help=(helps or {}).get(label))


def show_table(
    frame: pd.DataFrame,
    key: str,
    columns: Mapping[str, Any],
    alt_text: str | None = None,
    row_px: int | None = None,
) -> None:
    """A table of the named columns, each under its heading.

    :param columns: column of the frame to heading, or to a Streamlit column configuration.
    :param row_px: height of a row; texts wrap where it is more than a line's.
    """
    st.dataframe(
        frame[list(columns)],
        column_config=dict(columns),
        hide_index=True,
        placeholder=ABSENT,
        width="stretch",
        key=key,
        alt=alt_text,
        row_height=row_px,
    )


def show_short_table(frame: pd.DataFrame, columns: Mapping[str, str], alt_text: str) -> None:
    """A table of a few rows whose texts are shown whole, in as many lines as they need.

    :param columns: column of the frame to heading.
    """
    shown = frame[list(columns)].astype(object)
    shown = shown.where(shown.notna(), ABSENT).map(lambda value: literal(str(value)))
    st.table(shown.rename(columns=dict(columns)), hide_index=True, alt=alt_text)


def show_twin(frame: pd.DataFrame, key: str, columns: Mapping[str, Any]) -> None:
    """The same data as a table, folded away beneath its chart."""
    with st.expander("The same figures as a table", icon=":material/table:"):
        show_table(frame, key, columns)
