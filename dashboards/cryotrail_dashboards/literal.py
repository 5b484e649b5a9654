"""Text that came from an event, an address or an error, made safe to stand in a page's Markdown.

Streamlit reads titles and messages as Markdown. A label or an address that carries a link, a picture
or a formula must be shown as what it is, and lead nowhere.
"""

from __future__ import annotations

import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")

_LINK_STARTS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
"""Where a bare address would become a link of its own accord, escaped or not."""

WORD_JOINER = "\u2060"


def literal(text: str) -> str:
    """Markdown that shows exactly this text, on one line."""
    broken = _LINK_STARTS.sub(WORD_JOINER, " ".join(text.split()))
    return _PUNCTUATION.sub(r"\\\1", broken)
