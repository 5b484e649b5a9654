"""SQLite's write-ahead log as it lies on the disk: which frames are sound, and what pages they hold.

SQLite reads up to the first frame that does not fit and ignores the rest without a word, so a
damaged frame in the middle takes with it every later commit. Each frame can be checked by itself,
though: its checksum continues the one that stands in the frame before it. Format: "Database File
Format", section 4 (the SQLite project's documentation).
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections import Counter
from pathlib import Path
from typing import NamedTuple

_HEADER = struct.Struct(">IIIIIIII")
_FRAME = struct.Struct(">IIIIII")
_MAGIC = {0x377F0682: "little", 0x377F0683: "big"}
_WORD = 0xFFFFFFFF


class WriteAheadLog(NamedTuple):
    """What a log still says."""

    page_size: int
    pages: dict[int, bytes]
    """Page number -> its last sound image that a sound commit stands behind."""
    whole: bool
    """Nothing is missing that was ever committed, as far as the file can tell. A damaged end looks
    as a power cut leaves it, which takes only what was not committed."""


def read_write_ahead_log(path: Path, page_size: int) -> WriteAheadLog:
    """Read a log, which may be missing; ``page_size`` is taken where its header is damaged.

    :raises OSError: it cannot be read.
    """
    data = path.read_bytes() if path.exists() else b""
    if len(data) <= _HEADER.size:
        return WriteAheadLog(page_size, {}, whole=True)
    magic, _, given_size, _, *salts, first, second = _HEADER.unpack_from(data)
    order = _MAGIC.get(magic, sys.byteorder)
    sound_header = magic in _MAGIC and (first, second) == _checksum(data[:24], (0, 0), order)
    if sound_header:
        page_size = given_size
    step = _FRAME.size + page_size
    frames = range(_HEADER.size, len(data) - step + 1, step)
    salt = tuple(salts) if sound_header else _most_frequent_salt(data, frames)
    sound = [at for at in frames if _is_sound(data, at, step, salt, order)]
    committed = [at for at in sound if _FRAME.unpack_from(data, at)[1]]
    last = max(committed, default=-1)
    pages = {
        _FRAME.unpack_from(data, at)[0]: data[at + _FRAME.size : at + step]
        for at in sound
        if at <= last
    }
    unused = not any(data[: _HEADER.size]) and not sound  # a power cut before the first commit
    # The sound frames are the first ones, up to wherever they end.
    whole = unused or (sound_header and sound == list(frames[: len(sound)]))
    return WriteAheadLog(page_size, pages, whole)


def _most_frequent_salt(data: bytes, frames: range) -> tuple[int, int]:
    salts = Counter(_FRAME.unpack_from(data, at)[2:4] for at in frames)
    return salts.most_common(1)[0][0] if salts else (0, 0)


def _is_sound(data: bytes, at: int, step: int, salt: tuple[int, ...], order: str) -> bool:
    _, _, *found_salt, first, second = _FRAME.unpack_from(data, at)
    if tuple(found_salt) != salt:
        return False  # damaged, or left over from before the log began again
    before_at = at - step + 16 if at > _HEADER.size else 24
    before: tuple[int, int] = struct.unpack_from(">II", data, before_at)
    content = data[at : at + 8] + data[at + _FRAME.size : at + step]
    return (first, second) == _checksum(content, before, order)


def _checksum(data: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    words = array("I", data)
    if order != sys.byteorder:
        words.byteswap()
    first, second = start
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & _WORD
        second = (second + odd + first) & _WORD
    return first, second
