"""One line: whether the record of a procedure is all that was published of it, and who says so."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import streamlit as st

from cryotrail_audit.origin.stored import OriginReader
from cryotrail_dashboards.literal import literal
from cryotrail_dashboards.store_check import head_of
from cryotrail_schemas.errors import CryotrailError


class _Said(NamedTuple):
    """A verdict as the page shows it."""

    words: str
    is_proved: bool
    findings: tuple[str, ...]


def show_seal(audit_url: str, procedure_id: UUID) -> None:
    """The verdict of seals and signatures on a procedure, judged from the store's bytes now."""
    try:
        said = _judged(audit_url, procedure_id, head_of(audit_url).tree_size)
    except CryotrailError as refusal:
        st.markdown(f":gray[Record not judged: {literal(str(refusal))}]")
        return
    if said.findings:
        st.error(
            f"Record: {literal(said.words)}. `cryotrail audit origin {procedure_id}` names each "
            "finding.",
            icon=":material/gpp_bad:",
        )
        return
    icon = ":material/verified:" if said.is_proved else ":material/info:"
    st.markdown(f"{icon} Record: {literal(said.words)}.")


@st.cache_data(max_entries=200, show_spinner=False)
def _judged(audit_url: str, procedure_id: UUID, tree_size: int) -> _Said:
    """The verdict while the log has this size: nothing that was recorded changes."""
    with OriginReader.open(audit_url) as reader:
        (verdict,) = reader.verdicts(procedure_id)
    return _Said(verdict.words(), verdict.is_origin_proved, tuple(verdict.findings()))
