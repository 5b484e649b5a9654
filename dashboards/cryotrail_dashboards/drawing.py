"""Charts as the pages show them: each specification is made once a publication, choice and theme."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import altair as alt
import streamlit as st

from cryotrail_dashboards.tokens import Tokens, tokens_of

_altair_globals = threading.Lock()


@dataclass(frozen=True, slots=True)
class Drawing:
    """What all charts of one page view have in common."""

    identity: tuple[object, ...]
    """Everything but the theme that decides how they look: the publication and what of it is
    shown. Specifications are kept under it, never under a frame: of a big one Streamlit hashes
    only a sample."""
    tokens: Tokens

    @classmethod
    def of_this_reader(cls, *identity: object) -> Drawing:
        """In the theme that the reader's browser shows."""
        return cls(identity, tokens_of(st.context.theme.type))

    def show(self, name: str, build: Callable[[Tokens], alt.LayerChart], alt_text: str) -> None:
        """A chart across the page, with one sentence for those who do not see it.

        :param name: what the chart is, unique on its page.
        :param build: makes the chart when its specification is not kept yet.
        """
        spec = _specification(name, (*self.identity, self.tokens.name), lambda: build(self.tokens))
        st.vega_lite_chart(None, spec, width="stretch", theme=None, key=name, alt=alt_text)


@st.cache_data(max_entries=256, show_spinner=False)
def _specification(
    name: str, identity: tuple[object, ...], _build: Callable[[], alt.LayerChart]
) -> dict[str, Any]:
    # All rows are wanted: curves were thinned out in SQL already. The limit is a global of Altair,
    # hence the lock: page views run in threads.
    with _altair_globals, alt.data_transformers.enable("default", max_rows=None):
        specification: dict[str, Any] = _build().to_dict()
    return specification
