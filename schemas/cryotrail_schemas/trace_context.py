"""W3C Trace Context: which trace an event belongs to, said beside it and never in it.

Source: W3C Recommendation *Trace Context*, section 3.2 (``traceparent``).
"""

from __future__ import annotations

import re
from typing import Final

_TRACEPARENT: Final = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace_id>(?!0{32})[0-9a-f]{32})"
    r"-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-.*)?",
    re.DOTALL,
)


def trace_id_of(traceparent: str) -> str | None:
    """The trace id, 32 hexadecimal digits; None = this is no ``traceparent``.

    Of a version later than 00 the fields that 00 has are read, as the recommendation wants it.
    """
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found["version"] == "00" and found["more"] is not None):
        return None
    return found["trace_id"]


def is_traceparent(text: str) -> bool:
    """Whether a text is a ``traceparent`` of version 00, the one that is written here."""
    return text.startswith("00-") and trace_id_of(text) is not None
