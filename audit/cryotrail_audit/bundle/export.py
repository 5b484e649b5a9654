"""Exports an evidence bundle: whole and verified by its own verifier, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryotrail_audit.bundle import encoding
from cryotrail_audit.bundle.contents import VERIFIER, Contents, gather, verifier
from cryotrail_audit.bundle.errors import ExportRefused
from cryotrail_audit.bundle.readme import readme
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.checkpoints.stored import SignedNotes
from cryotrail_audit.databases import engine_of, parse_url
from cryotrail_audit.procedure_names import find_procedure
from cryotrail_audit.store import open_store

_VERIFYING_TAKES_AT_MOST_S: Final = 600


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    folder: Path
    procedure_id: UUID
    entry_count: int
    entries_since: int
    """Recorded after the checkpoint, so not in the bundle."""
    byte_count: int
    found: Mapping[str, Any]
    """What the bundle's verifier said, with the log's key given."""


def export_procedure(
    url: str,
    procedure: str,
    folder: Path,
    key: PinnedKey,
    *,
    sign: Callable[[UUID], object] | None = None,
) -> Exported:
    """Write the bundle of a procedure.

    The folder appears when every byte of it is on the disk and the bundle's own verifier, run as a
    process of its own, has proved these to be the recorded bytes; otherwise nothing is left. What
    the verifier finds wrong with seals or signatures is no reason to refuse: the bundle is evidence
    of it, and says so.

    :param procedure: its id, or its label where that is unique.
    :param folder: absent or empty.
    :param key: the log's public key: what it did not sign does not go into the bundle.
    :param sign: asked first for a new checkpoint and a head of the procedure; None = the newest
        that the store has are taken.
    :raises ProcedureNotFound: no procedure, or several.
    :raises ExportRefused: see :func:`~cryotrail_audit.bundle.contents.gather`; the folder holds
        something; the verifier refuses what is stored.
    """
    target = folder.absolute()
    _check_free(target)
    engine = engine_of(parse_url(url))
    try:
        with (
            closing(open_store(url)) as store,
            closing(SignedNotes.open(url)) as signed,
            engine.connect() as connection,
        ):
            procedure_id = find_procedure(store, connection, procedure)
            if sign is not None:
                connection.rollback()  # so that what is signed now is seen below
                sign(procedure_id)
            contents = gather(store, connection, signed, key, procedure_id)
            since = sum(map(len, store.procedure_entries(procedure_id))) - len(contents.entries)
    finally:
        engine.dispose()
    files = {
        **contents.files,
        "manifest.json": encoding.manifest(procedure_id, contents.files),
        "README.md": readme(contents, since).encode(),
        VERIFIER: verifier(),
    }
    found = _write(target, files, contents)
    size = sum(map(len, files.values()))
    return Exported(target, procedure_id, len(contents.entries), since, size, found)


def _write(target: Path, files: Mapping[str, bytes], contents: Contents) -> Mapping[str, Any]:
    """Write beside the target, verify there, and give it the target's name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for name, data in files.items():
            file = beside / name
            file.parent.mkdir(exist_ok=True)
            with file.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        beside.chmod(0o755)  # mkdtemp's folder is its owner's alone, and this one is handed over
        found = _verified(beside, contents.files["log-key.pub"])
        for written in {beside, *((beside / name).parent for name in files)}:
            _sync_folder(written)
        try:
            beside.rename(target)
        except OSError as error:
            raise _in_use(target) from error
        _sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return found


def _verified(folder: Path, log_key: bytes) -> Mapping[str, Any]:
    """What the bundle's verifier says of it, with the key that it was made for."""
    with tempfile.NamedTemporaryFile(suffix=".pub") as key_file:
        key_file.write(log_key)
        key_file.flush()
        command = [sys.executable, "-I", str(folder / VERIFIER), "--json"]
        ran = subprocess.run(
            [*command, "--log-key", key_file.name],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_VERIFYING_TAKES_AT_MOST_S,
            check=False,
        )
    try:
        found: dict[str, Any] = json.loads(ran.stdout)
    except ValueError:
        raise ExportRefused(f"the bundle's verifier did not run: {ran.stderr[-300:]}") from None
    if found["result"] == "refused":  # a finding about the origin is what a bundle may be for
        raise ExportRefused(
            f"what is stored does not verify: {found['file']}: {found['reason']}",
            hint="cryotrail audit verify reads the whole store and names what is broken",
        )
    return found


def _check_free(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise _in_use(target)
    if target.is_dir() and any(target.iterdir()):
        raise _in_use(target)


def _in_use(target: Path) -> ExportRefused:
    return ExportRefused(
        f"{target} is there already and is not an empty folder",
        hint="give a folder that is not there: a bundle is never written over another",
    )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
