"""Kafka headers are kept as they came."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cryotrail_consumers.coordinates import Lineage
from cryotrail_consumers.decoding.headers import pack_headers

Headers = list[tuple[str, bytes | None]]

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
VALUES = st.none() | st.binary(max_size=400)


def _unpack(packed: bytes) -> Headers:
    fields: list[bytes | None] = []
    while packed:
        length = int.from_bytes(packed[:4], "big", signed=True)
        fields.append(None if length < 0 else packed[4 : 4 + length])
        packed = packed[4 + max(length, 0) :]
    names, values = fields[::2], fields[1::2]
    return [((name or b"").decode(), value) for name, value in zip(names, values, strict=True)]


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1))
def test_packed_headers_hold_every_name_and_value_in_order(headers: Headers) -> None:
    packed = pack_headers(headers)

    assert packed is not None
    assert _unpack(packed) == headers


def test_a_record_without_headers_keeps_none() -> None:
    assert pack_headers([]) is None


def test_a_null_and_an_empty_value_are_kept_apart() -> None:
    assert pack_headers([("a", None)]) == b"\0\0\0\1a\xff\xff\xff\xff"
    assert pack_headers([("a", b"")]) == b"\0\0\0\1a\0\0\0\0"


def test_the_same_offset_of_another_life_of_a_partition_has_another_identity() -> None:
    lineage = Lineage("cluster", UUID(int=1), 1, 0, 0)
    others = [
        lineage._replace(cluster_id="other"),
        lineage._replace(topic_uuid=UUID(int=2)),
        lineage._replace(partition=1),
        lineage._replace(incarnation=1),
    ]

    identities = {one.quarantine_id(7) for one in (lineage, *others)}

    assert len(identities) == 5
    assert lineage.quarantine_id(7) == lineage._replace(topic_id=9).quarantine_id(7)
