"""One flipped bit in any file of a bundle is refused, and the file is named."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from bundle_fixtures import BundledCase
from exported_bundles import copied, judge, judge_files, read, with_new_manifest

NOTES = ("checkpoint.note", "head.note", "log-key.pub")
BITS_A_FILE = 80
DENSE_BYTES = 330
"""Text and Ed25519 line of a note, and the beginning of its ML-DSA-44 line."""


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def some_bits(name: str, data: bytes, step: int = 1) -> Iterator[int]:
    """The same bits at every run; of the small notes the beginning, all or each ``step``th bit."""
    chosen = random.Random(name)
    if name in NOTES:
        yield from range(0, min(DENSE_BYTES, len(data)) * 8, step)
    for _ in range(BITS_A_FILE):
        yield chosen.randrange(len(data) * 8)


def not_refused(
    files: dict[str, bytes], name: str, bits: Iterable[int], *, forged: bool
) -> list[str]:
    """The flips that were accepted, or of which another file was blamed."""
    wrong = []
    for bit in bits:
        changed = files | {name: flipped(files[name], bit)}
        found = judge_files(with_new_manifest(changed) if forged else changed)
        if found["result"] != "refused" or name not in f"{found['file']} {found['reason']}":
            wrong.append(f"bit {bit}: {found}")
    return wrong


def test_a_flipped_bit_anywhere_is_refused_with_the_file_named(small_bundle: BundledCase) -> None:
    files = read(small_bundle.folder)
    assert {"manifest.json", "entries.jsonl", "log.jsonl", "events.jsonl", *NOTES} < files.keys()

    for name, data in files.items():
        wrong = not_refused(files, name, some_bits(name, data), forged=False)

        assert not wrong, f"{name}: {wrong[:3]}"


@pytest.mark.parametrize("name", ["entries.jsonl", "log.jsonl", "events.jsonl", "schema", *NOTES])
def test_no_flipped_bit_passes_when_the_manifest_is_written_again(
    small_bundle: BundledCase, name: str
) -> None:
    files = read(small_bundle.folder)
    if name == "schema":
        name = next(item for item in sorted(files) if item.startswith("schemas/"))

    wrong = not_refused(files, name, some_bits(name, files[name], step=9), forged=True)

    assert not wrong, f"{name}: {wrong[:3]}"


def test_of_a_cohort_procedures_bundle_too(cohort_bundle: tuple[Path, bytes]) -> None:
    files = read(cohort_bundle[0])
    chosen = random.Random(1)

    for name, data in files.items():
        bits = [chosen.randrange(len(data) * 8) for _ in range(2)]
        wrong = not_refused(files, name, bits, forged=False)
        if name != "manifest.json":
            wrong += not_refused(files, name, bits[:1], forged=True)

        assert not wrong, f"{name}: {wrong[:3]}"


def test_a_flipped_bit_on_the_disk_is_refused(small_bundle: BundledCase, tmp_path: Path) -> None:
    folder = copied(small_bundle.folder, tmp_path / "flipped")
    file = folder / "entries.jsonl"
    file.write_bytes(flipped(file.read_bytes(), 12_345))

    found = judge(folder)

    assert (found["result"], found["file"]) == ("refused", "entries.jsonl")
