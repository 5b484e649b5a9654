"""Framing 1 is what its description says, whichever way a row is packed."""

from hashlib import sha256

import pytest
from audit_records import record
from hypothesis import given
from hypothesis import strategies as st

from cryotrail_audit.framing import (
    RECORD_COLUMNS,
    leaf_hash,
    pack_fields,
    pack_head,
    pack_tail,
)
from cryotrail_audit.records import Entry, IncomingRecord

VALUES = {
    "uuid": st.binary(min_size=16, max_size=16),
    "hash": st.binary(min_size=32, max_size=32),
    "text": st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    "bytea": st.binary(max_size=40),
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
}
RECORDS = st.tuples(
    *(
        VALUES[kind.rstrip("?")] | st.none() if kind.endswith("?") else VALUES[kind]
        for _, kind in RECORD_COLUMNS
    )
).map(IncomingRecord._make)


def naive(columns, values):
    """The module's own words in code: int4 length or -1, then the bytes."""
    packed = b""
    widths = {"smallint": 2, "integer": 4, "bigint": 8}
    for (_, kind), value in zip(columns, values, strict=True):
        if value is None:
            packed += (-1).to_bytes(4, "big", signed=True)
            continue
        kind = kind.rstrip("?")
        if kind in widths:
            value = value.to_bytes(widths[kind], "big", signed=True)
        elif kind == "text":
            value = value.encode()
        packed += len(value).to_bytes(4, "big") + value
    return packed


@given(RECORDS)
def test_every_record_is_packed_as_described(item):
    assert pack_tail(item) == pack_fields(RECORD_COLUMNS, item) == naive(RECORD_COLUMNS, item)


@given(RECORDS, st.none() | st.integers(1, 2**31 - 1), st.integers(0, 2**63 - 1))
def test_the_leaf_is_rfc_6962_over_the_framing_version_and_all_columns(item, entry_no, seq):
    columns = [
        ("log_id", "smallint"), ("framing", "smallint"), ("kind", "smallint"),
        ("procedure_entry_no", "integer?"), ("seq", "bigint"), ("recorded_us", "bigint"),
        *RECORD_COLUMNS,
    ]  # fmt: skip

    leaf = leaf_hash(pack_head(1, 0, entry_no, seq, 99), pack_tail(item))

    preimage = naive(columns, (1, 1, 0, entry_no, seq, 99, *item))
    assert leaf == sha256(b"\x00" + b"\x01" + preimage).digest()


def test_the_leaf_of_a_known_row_never_changes():
    """Stored leaves are for ever: this value must survive every refactoring."""
    leaf = leaf_hash(pack_head(1, 0, 1, 0, 1_790_000_000_000_000), pack_tail(record(0)))

    assert leaf.hex() == "81a66fba366ca02de4771679388867185142634eaaecd9bf7bc60f3c11234b55"


@pytest.mark.parametrize("column", [name for name, _ in RECORD_COLUMNS])
def test_no_column_can_change_without_the_leaf(column):
    item = record(0)
    value = getattr(item, column)
    other = {
        int: lambda: value + 1,
        str: lambda: value + "x",
        bytes: lambda: bytes([value[0] ^ 1]) + value[1:],
        type(None): lambda: {"reason": "x", "source_seq": 0}.get(column, b""),
    }[type(value)]()

    assert pack_tail(item._replace(**{column: other})) != pack_tail(item)


def test_the_columns_are_those_of_the_entry():
    names = [name for name, _ in RECORD_COLUMNS]

    assert tuple(names) == IncomingRecord._fields == Entry._fields[6:-1]
