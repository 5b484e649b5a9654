"""The rows of a SQLite file that SQLite itself cannot open or walk any more.

SQLite's own recovery is in its shell and not in the library, so pages are read one by one here:
every leaf says by itself which rows it holds. A row comes without its table's name; whoever knows
the tables tells them apart by their columns, and has to check what it takes. Format: "Database File
Format", sections 1 and 2 (the SQLite project's documentation).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cryotrail_producers.salvage.write_ahead_log import read_write_ahead_log

Value = int | float | str | bytes | None

_MAGIC = b"SQLite format 3\0"
_USUAL_PAGE_SIZE = 4096
_INDEX_INTERIOR, _INDEX_LEAF, _TABLE_LEAF = 2, 10, 13
_LONGEST_ROW = 2**24
_INTEGER_BYTES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}


class FoundRow(NamedTuple):
    """A row of some table or index."""

    row_id: int | None
    """None: of a table without row ids, or of an index."""
    values: tuple[Value, ...]


class DamagedDatabase:
    """The pages of a database file, each with what its write-ahead log has of it."""

    def __init__(self, path: Path, log_path: Path) -> None:
        """Read both files whole, as they lie there; neither is changed.

        :raises OSError: one cannot be read.
        """
        self._data = path.read_bytes()
        given_size = struct.unpack_from(">H", self._data, 16)[0] if self._has_header() else 0
        size = 65536 if given_size == 1 else given_size
        log = read_write_ahead_log(log_path, size if _is_page_size(size) else _USUAL_PAGE_SIZE)
        self._page_size, self._newer = log.page_size, log.pages
        self.log_is_whole = log.whole
        """Every commit that the write-ahead log held can be read."""
        reserved = self._page(1)[20] if self._page(1)[:16] == _MAGIC else 0
        self._usable = self._page_size - reserved

    def rows(self) -> Iterator[FoundRow]:
        """Every row that a page holds. Rows that were deleted may be among them."""
        last_page = max([len(self._data) // self._page_size, *self._newer])
        free = self._free_pages()
        for number in range(1, last_page + 1):
            if number not in free:
                yield from self._rows_of(number)

    def _has_header(self) -> bool:
        return len(self._data) >= 100 and self._data.startswith(_MAGIC)

    def _page(self, number: int) -> bytes:
        if number in self._newer:
            return self._newer[number]
        found = self._data[(number - 1) * self._page_size : number * self._page_size]
        return found.ljust(self._page_size, b"\0")

    def _free_pages(self) -> set[int]:
        free: set[int] = set()
        first = self._page(1)
        trunk = struct.unpack_from(">I", first, 32)[0] if first[:16] == _MAGIC else 0
        while trunk and trunk not in free and len(free) < 2**20:
            free.add(trunk)
            page = self._page(trunk)
            trunk, count = struct.unpack_from(">II", page)
            free.update(struct.unpack_from(f">{min(count, len(page) // 4 - 2)}I", page, 8))
        return free

    def _rows_of(self, number: int) -> Iterator[FoundRow]:
        page, header_at = self._page(number), 100 if number == 1 else 0
        kind, _, count = struct.unpack_from(">BHH", page, header_at)
        if kind not in (_INDEX_INTERIOR, _INDEX_LEAF, _TABLE_LEAF):
            return
        pointers_at = header_at + (12 if kind == _INDEX_INTERIOR else 8)
        for at in range(pointers_at, min(pointers_at + 2 * count, len(page) - 1), 2):
            try:
                yield self._row(page, struct.unpack_from(">H", page, at)[0], kind)
            except (IndexError, ValueError, struct.error):
                continue  # damaged; others of the page need not be

    def _row(self, page: bytes, at: int, kind: int) -> FoundRow:
        if kind == _INDEX_INTERIOR:
            at += 4
        size, at = _varint(page, at)
        row_id = None
        if kind == _TABLE_LEAF:
            row_id, at = _varint(page, at)
        if not 0 < size < _LONGEST_ROW:
            raise ValueError("no row is so long")
        return FoundRow(row_id, _record(self._payload(page, at, size, kind)))

    def _payload(self, page: bytes, at: int, size: int, kind: int) -> bytes:
        usable = self._usable
        least = (usable - 12) * 32 // 255 - 23
        most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return page[at : at + size]
        local = least + (size - least) % (usable - 4)
        local = local if local <= most else least
        payload = page[at : at + local]
        (overflow,) = struct.unpack_from(">I", page, at + local)
        while len(payload) < size:
            if not overflow:
                raise ValueError("the row is cut short")
            page = self._page(overflow)
            (overflow,) = struct.unpack_from(">I", page)
            payload += page[4:usable]
        return payload[:size]


def _is_page_size(size: int) -> bool:
    return 512 <= size <= 65536 and size & (size - 1) == 0


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A 64-bit integer in one to nine bytes, and where the next thing begins."""
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    value = value << 8 | data[at + 8]
    return value - (1 << 64) if value >> 63 else value, at + 9


def _record(payload: bytes) -> tuple[Value, ...]:
    header_end, at = _varint(payload, 0)
    kinds = []
    while at < header_end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != header_end:
        raise ValueError("the row's header is damaged")
    values = []
    for kind in kinds:
        size = _INTEGER_BYTES[kind] if kind in _INTEGER_BYTES else (kind - 12) // 2
        if size < 0 or at + size > len(payload):
            raise ValueError("the row's header is damaged")
        values.append(_value(kind, payload[at : at + size]))
        at += size
    if at != len(payload):
        raise ValueError("the row's header is damaged")
    return tuple(values)


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind in (8, 9):
        return kind - 8
    if kind == 7:
        return float(struct.unpack(">d", data)[0])
    if kind < 7:
        return int.from_bytes(data, "big", signed=True)
    return data if kind % 2 == 0 else data.decode("utf-8")
