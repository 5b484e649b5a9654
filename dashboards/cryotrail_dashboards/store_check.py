"""What the audit store's own verifier said of the store, kept beside the head that it was said of.

A verdict is never kept by time: it is said again with the moment and the head it was reached at,
and a store that has grown since is "not checked". Bytes that change behind a kept head are found
by the next check only, which is why the page says when it checked.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import streamlit as st

from cryotrail_audit.records import Head
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import Verification, verify
from cryotrail_dashboards.clock import utc_now

CHECKED_UNASKED = 50_000
"""Stores of up to this many entries are checked when the page opens; it takes about a second."""


class Check(NamedTuple):
    """One verdict."""

    verification: Verification
    checked_at: datetime

    @property
    def is_broken(self) -> bool:
        """Whether any recomputed hash differed from the recorded one."""
        return self.verification.result == "broken"

    @property
    def words(self) -> str:
        """The verdict as every surface says it: the pages hold no checkpoint from outside."""
        return self.verification.words


def head_of(audit_url: str) -> Head:
    """The end of the log now.

    :raises CryotrailError: the store cannot be opened.
    """
    store = open_store(audit_url)
    try:
        return store.head()
    finally:
        store.close()


def kept_check(audit_url: str, head: Head) -> Check | None:
    """The verdict on exactly this head, or None: not checked."""
    return _kept().get((audit_url, head.tree_size, head.root))


def check_now(audit_url: str, head: Head) -> Check:
    """Re-hash every entry of the store, and keep the verdict for this head."""
    check = Check(verify(audit_url), utc_now())
    _kept()[(audit_url, head.tree_size, head.root)] = check
    return check


def broken_check(audit_url: str) -> Check | None:
    """The latest verdict of "broken" on this store, whatever was appended since."""
    broken = [check for key, check in _kept().items() if key[0] == audit_url and check.is_broken]
    return max(broken, key=lambda check: check.checked_at, default=None)


@st.cache_resource(show_spinner=False)
def _kept() -> dict[tuple[str, int, bytes], Check]:
    return {}
