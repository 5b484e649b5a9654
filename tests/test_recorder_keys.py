"""What the recorder remembers of keys is bounded, however long a producer makes them."""

from __future__ import annotations

import tracemalloc
from contextlib import closing
from typing import NamedTuple
from uuid import UUID

from cryotrail_audit.store import open_store
from cryotrail_consumers.coordinates import Lineage
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_schemas.topics import MAX_MESSAGE_BYTES, PARTITION_COUNT

LINEAGE = Lineage("cluster", UUID(int=1), 1, 0, 0)


class KeyedRecord(NamedTuple):
    """A record without a value."""

    key: bytes
    offset: int = 0
    timestamp: int = 0
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def test_long_keys_are_not_kept_in_memory(sqlite_url: str) -> None:
    with closing(open_store(sqlite_url)) as store:
        decoder = RecordDecoder(KnownSchemas(store))
        tracemalloc.start()
        try:
            for number in range(50):
                key = number.to_bytes(2, "big") * (MAX_MESSAGE_BYTES // 2)
                decoder.decode([KeyedRecord(key)], LINEAGE, PARTITION_COUNT)
            kept_bytes, _peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert kept_bytes < 2 * MAX_MESSAGE_BYTES
