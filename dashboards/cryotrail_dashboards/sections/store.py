"""The state of the audit store in words, each of them computed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import streamlit as st

from cryotrail_dashboards.clock import site_time, zone_label
from cryotrail_dashboards.literal import literal
from cryotrail_dashboards.queries.publication import PublicationRow
from cryotrail_dashboards.store_check import (
    CHECKED_UNASKED,
    Check,
    broken_check,
    check_now,
    head_of,
    kept_check,
)
from cryotrail_schemas.errors import CryotrailError


def show_store(audit_url: str, meta: PublicationRow, zone: ZoneInfo) -> None:
    """Entries in the store, how far this publication read them, and the verifier's verdict."""
    st.subheader("Audit store")
    try:
        head = head_of(audit_url)
    except CryotrailError as refusal:
        st.badge("not checked", icon=":material/question_mark:", color="gray")
        st.markdown(f"The audit store cannot be read here: {literal(str(refusal))}")
        return
    newer = head.tree_size - meta.audit_tree_size
    reach = f"{newer:,} of them newer" if newer else "none newer"
    st.markdown(f"The log holds {head.tree_size:,} entries, {reach} than this publication.")
    check = kept_check(audit_url, head)
    asked = st.button("Verify now", icon=":material/fact_check:")
    if asked or (check is None and head.tree_size <= CHECKED_UNASKED):
        with st.spinner("Re-hashing every entry from its recorded bytes …"):
            check = check_now(audit_url, head)
    _show_verdict(check, zone)


def show_broken_store(audit_url: str) -> None:
    """On every page: a store that was found broken is said to be so before anything else."""
    broken = broken_check(audit_url)
    if broken is not None:
        st.error(
            f"The audit store is {broken.words}: {literal(str(broken.verification.reason))}. "
            "Nothing on these "
            "pages rests on a verified log until this is explained.",
            icon=":material/gpp_bad:",
        )


def _show_verdict(check: Check | None, zone: ZoneInfo) -> None:
    if check is None:
        st.badge("not checked", icon=":material/question_mark:", color="gray")
        return
    at = f"{site_time(check.checked_at, zone)} {zone_label(check.checked_at, zone)}"
    found = check.verification
    if check.is_broken:
        st.badge(check.words, icon=":material/gpp_bad:", color="red")
        st.markdown(f"Checked {at}: {literal(str(found.reason))}")
        return
    st.badge(check.words, icon=":material/check:", color="blue")
    st.markdown(
        f"Checked {at}: all {found.entry_count:,} entries were re-hashed from their recorded bytes, and the "
        f"root is `{found.root.hex()}`. Whoever can rewrite the whole store could do so "
        "consistently: there is no outside anchor here. Only a checkpoint held outside the store, "
        "given to `cryotrail audit verify --checkpoint`, proves that nobody did."
    )
