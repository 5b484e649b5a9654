"""Evidence bundles of real stores, and the one-file verifier to judge what is done to them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib.resources import files
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from cryotrail_audit.bundle import encoding
from cryotrail_audit.bundle.contents import gather
from cryotrail_audit.bundle.export import export_procedure
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.head import ProcedureHead, leaves_hash
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.stored import SignedNotes
from cryotrail_audit.databases import engine_of, parse_url
from cryotrail_audit.store import AuditStore, open_store

ORIGIN = "tests.example/store"
VERIFIER_FILE = Path(str(files("cryotrail_audit.bundle").joinpath("verify.py")))


def load_verifier() -> ModuleType:
    """The verifier as a module of its own name, as if nothing of cryotrail were there."""
    spec = spec_from_file_location("one_file_verifier", VERIFIER_FILE)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VERIFIER = load_verifier()


def sign_head(url: str, key: LogKey, *procedures: UUID) -> None:
    """Sign the log as it is, and a head of each procedure, and put the notes into the store."""
    now_s = int(time.time())
    with closing(open_store(url)) as store, closing(SignedNotes.open(url)) as notes:
        end = store.head()
        texts = [Checkpoint(key.name, end.tree_size, end.root).to_text()]
        for procedure_id in procedures:
            leaves = leaf_hashes(store, procedure_id)
            head = ProcedureHead(
                key.name, procedure_id, len(leaves), end.tree_size, leaves_hash(leaves), now_s
            )
            texts.append(head.to_text())
        notes.add([key.sign(text, now_s) for text in texts], now_s * 1_000_000)


def leaf_hashes(store: AuditStore, procedure_id: UUID) -> list[bytes]:
    """The leaf hashes of a procedure's entries in their order."""
    return [e.leaf_hash for entries in store.procedure_entries(procedure_id) for e in entries]


def exported(url: str, procedure_id: UUID, folder: Path, key: LogKey) -> Path:
    """Sign what is recorded, head included, and export the procedure."""
    sign_head(url, key, procedure_id)
    export_procedure(url, str(procedure_id), folder, key.pinned)
    return folder


def bundled(url: str, procedure_id: UUID, key: LogKey) -> dict[str, bytes]:
    """The files of a bundle by name, made and signed as :func:`exported` does, unwritten."""
    sign_head(url, key, procedure_id)
    engine = engine_of(parse_url(url))
    with (
        closing(open_store(url)) as store,
        closing(SignedNotes.open(url)) as signed,
        engine.connect() as connection,
    ):
        made = gather(store, connection, signed, key.pinned, procedure_id).files
    engine.dispose()
    return {**made, "manifest.json": encoding.manifest(procedure_id, made)}


def judge(folder: Path, log_key: bytes | None = None) -> dict[str, Any]:
    """What the verifier says of a folder; of a refused one the file and the reason."""
    return _judged(lambda: VERIFIER.verify(folder, log_key))


def judge_files(given: Mapping[str, bytes], log_key: bytes | None = None) -> dict[str, Any]:
    """The same of files by name."""
    return _judged(lambda: VERIFIER.verify_files(dict(given), log_key))


def _judged(verify: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = verify()
    except VERIFIER.Refused as refused:
        return {"result": "refused", "file": refused.file, "reason": refused.reason}
    return found


def read(folder: Path) -> dict[str, bytes]:
    """The files of a bundle that are judged, by name."""
    found: dict[str, bytes] = VERIFIER.read_folder(folder)
    return found


def with_new_manifest(given: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same files under a manifest that fits them: what a forger would write."""
    procedure_id = UUID(json.loads(given["manifest.json"])["procedure_id"])
    others = {name: data for name, data in given.items() if name != "manifest.json"}
    return {**others, "manifest.json": encoding.manifest(procedure_id, others)}


def copied(folder: Path, target: Path) -> Path:
    """A copy of a bundle, to be damaged."""
    shutil.copytree(folder, target)
    return target


def lines_of(data: bytes) -> list[str]:
    """The lines of a file without their ends."""
    return data.decode().split("\n")[:-1]


def as_lines(lines: Sequence[str]) -> bytes:
    """The opposite of :func:`lines_of`."""
    return "".join(f"{line}\n" for line in lines).encode()
