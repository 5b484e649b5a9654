"""Runs a page of the dashboards without a browser, over a warehouse built by the test."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

import cryotrail_dashboards
from cryotrail_dashboards.literal import WORD_JOINER
from cryotrail_dashboards.settings import DashboardSettings

APP = Path(cryotrail_dashboards.__file__).parent / "app.py"


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def open_page(
    warehouse_dir: Path,
    view: str,
    *,
    audit_url: str | None = None,
    theme: str = "light",
    site_tz: str = "Asia/Tokyo",
    **query: str,
) -> AppTest:
    """One view of a page: ``open_page(folder, "procedure", procedure="CRYO-0001")``.

    Without ``audit_url`` there is no audit store.
    """
    url = audit_url or f"sqlite:///{warehouse_dir / 'no-store.sqlite3'}"
    settings = DashboardSettings(warehouse_dir, url, site_tz)
    with _environment(settings.to_environment()):
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.context["theme"] = theme
        at.run()
        if view != "home":
            at.switch_page(f"views/{view}.py")
            for name, value in query.items():
                at.query_params[name] = value
            at.run()
    assert not at.exception, at.exception
    return at


def again(at: AppTest, warehouse_dir: Path, audit_url: str | None = None) -> AppTest:
    """Run the page once more, after a widget was changed."""
    url = audit_url or f"sqlite:///{warehouse_dir / 'no-store.sqlite3'}"
    with _environment(DashboardSettings(warehouse_dir, url, "Asia/Tokyo").to_environment()):
        at.run()
    assert not at.exception, at.exception
    return at


def specs(at: AppTest) -> list[dict[str, Any]]:
    """The Vega-Lite specifications of the page, without their data."""
    return [json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart")]


def metrics(at: AppTest) -> dict[str, str]:
    """Label and value of every metric of the page."""
    return {metric.label: metric.value for metric in at.metric}


def text(at: AppTest) -> str:
    """All titles, messages and Markdown of the page, as they are read."""
    elements = [*at.title, *at.error, *at.warning, *at.info, *at.success, *at.markdown]
    return "\n".join(as_read(str(element.value)) for element in elements)


def as_read(markdown: str) -> str:
    """Markdown without the marks that make it literal."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace(WORD_JOINER, "")
