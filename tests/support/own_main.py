"""Puts ``__main__`` back after each test: Streamlit replaces it by the page that it runs.

A process that a later test starts by multiprocessing imports what it finds there, and would run
that page before it does anything.
"""

from __future__ import annotations

import sys

_MAIN = sys.modules["__main__"]


def pytest_runtest_teardown() -> None:
    """As pytest calls it."""
    sys.modules["__main__"] = _MAIN
