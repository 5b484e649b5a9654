"""What a reader is told when a page fails for a reason that nobody foresaw."""

from __future__ import annotations

import logging
from uuid import uuid4

import streamlit as st

_logger = logging.getLogger(__name__)


def show_failure(error: Exception) -> bool:
    """Say that the page failed, under a number; what failed goes to the server's log alone.

    :returns: True: Streamlit adds nothing of its own.
    """
    incident = uuid4().hex[:8]
    _logger.error("incident %s", incident, exc_info=error)
    st.error(
        f"This page failed. The server's log tells why under incident {incident}.",
        icon=":material/error:",
    )
    return True
