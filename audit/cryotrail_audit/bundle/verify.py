"""Checks an evidence bundle of cryotrail: one file, for a machine that has no cryotrail.

    python verify.py [DIR] [--log-key FILE] [--json]

Needs Python 3.11 or newer and the package ``cryptography`` 50 or newer (ML-DSA-44); nothing else,
no network. DIR is the bundle's folder, by default the one that this file stands in. FILE is the
log's public key, obtained from somebody other than whoever handed over the bundle.

It answers three questions, and takes nothing from the bundle that it can compute:

1. Are these the recorded bytes? Each entry's columns are framed again, hashed to a leaf, and the
   leaf is led up to the root of one signed checkpoint (RFC 6962, RFC 9162).
2. Is none left out? The signed head of the procedure says how many entries it has and gives one
   hash over all of them. It speaks of the moment at which it was signed, and of nothing later.
3. Who says so? Seals and events that their producers signed are judged by the keys that stood in
   the log when the event was recorded. Nobody can show here that a revocation was left out.

The last line separates them: first whether these are the recorded bytes, then, where the seals or
signatures do not fit, ``origin: FINDING``. The bundle is then sound evidence of something wrong.

Exit: 0 nothing wrong was found, 1 refused or a finding, 2 wrong usage. With a key from the same
place as the bundle anybody could have made all of it: the answer is then "consistent with key ...",
never more.

This is a second implementation, from the formats alone: it shares no line with what wrote the
bundle. Read it from top to bottom. Better still, get it from cryotrail and not from the bundle.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import math
import os
import re
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

FORMAT = "cryotrail-bundle-1"
ENTRIES, LOG, EVENTS = "entries.jsonl", "log.jsonl", "events.jsonl"
CHECKPOINT, HEAD, KEY, MANIFEST = "checkpoint.note", "head.note", "log-key.pub", "manifest.json"
NO_EVIDENCE = {"README.md", "verify.py"}  # explains and checks; proves nothing, so may be exchanged
REQUIRED = {ENTRIES, LOG, EVENTS, CHECKPOINT, KEY}
KNOWN = REQUIRED | NO_EVIDENCE | {HEAD, MANIFEST}
SCHEMA_NAME = re.compile(r"schemas/[0-9a-f]{64}\.avsc")

# What no honest bundle reaches. Beyond it stands a plain refusal, not a machine without memory.
MOST_FILES, MOST_BYTES, MOST_ENTRIES = 1_000, 256 << 20, 500_000
MOST_SIGNATURES, MOST_LEVELS, MOST_SEALS = 100, 64, 100
LONGEST_TEXT = 8 << 20  # of one JSON document; Kafka's largest message is 32 times less
MOST_COMBINATIONS, MOST_HASHES = 256, 5_000_000  # tried to find what a seal covers

EPOCH, EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC), date(1970, 1, 1).toordinal()


class Refused(Exception):
    """The bundle is not what it should be: which file, and why."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file, self.reason = file, reason


# ---------------------------------------------------------------------------------------------
# 1. Strict decoders: what was read is written again and compared, so that each value has one
#    spelling, and a bit that would mean nothing is refused like any other.
# ---------------------------------------------------------------------------------------------


def spelled_once(
    file: str, what: str, text: Any, decode: Callable[[str], Any], encode: Callable[[Any], str]
) -> Any:
    try:
        value = decode(text)
        if encode(value) == text:
            return value
    except (ValueError, TypeError, AttributeError):
        pass
    raise Refused(file, f"not {what} as a bundle spells it: {text!r:.60}")


def from_base64(file: str, text: Any) -> bytes:
    def decode(given: str) -> bytes:
        return base64.b64decode(given, validate=True)

    found: bytes = spelled_once(
        file, "base64", text, decode, lambda d: base64.b64encode(d).decode()
    )
    return found


def from_hex(file: str, text: Any) -> bytes:
    found: bytes = spelled_once(file, "hexadecimal", text, bytes.fromhex, bytes.hex)
    return found


def from_uuid(file: str, text: Any) -> bytes:
    found: UUID = spelled_once(file, "a UUID", text, UUID, str)
    return found.bytes


def from_count(file: str, text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,17}", text):
        raise Refused(file, f"not a count: {text!r:.40}")
    return int(text)


def from_text(file: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused(file, "not UTF-8") from None


def to_json(value: Any, indent: int | None = None) -> str:
    """The one spelling of JSON in a bundle: keys in their order, no spaces, no escapes but needed."""
    tight = (",", ":") if indent is None else None
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=tight, indent=indent)


def from_json(file: str, text: str, indent: int | None = None) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name stands twice in one object")
        return dict(pairs)

    if len(text) > LONGEST_TEXT:
        raise Refused(file, f"{len(text)} characters are more than an entry has")
    try:
        value = json.loads(text, object_pairs_hook=once)
        again = to_json(value, indent)
    except (ValueError, RecursionError) as error:
        raise Refused(file, f"not JSON as bundles hold it: {error}"[:200]) from None
    if again != text:
        raise Refused(file, "JSON that is not spelled as bundles spell it")
    return value


def from_moment(file: str, text: Any) -> int:
    """Microseconds since 1970 of a time in ISO 8601 with a zone."""
    try:
        return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError, OverflowError):
        raise Refused(file, f"not a time with a zone: {text!r:.60}") from None


def to_moment(microseconds: int) -> str:
    return (EPOCH + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")


# ---------------------------------------------------------------------------------------------
# 2. The files. The manifest finds damage and names the file; it is no evidence, since whoever
#    changes a file can write the manifest again. Everything below holds without it.
# ---------------------------------------------------------------------------------------------


def read_file(path: Path, name: str, most: int) -> bytes:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):  # a pipe, a device, a link to either
            raise Refused(name, "not a plain file")
        if found.st_size > most:
            raise Refused(name, f"{found.st_size} bytes are more than a bundle holds")
        return path.read_bytes()
    except OSError as error:
        raise Refused(name, f"cannot be read: {error.strerror}") from None


def read_folder(folder: Path) -> dict[str, bytes]:
    """Every file by its name, ``schemas/`` included; anything that does not belong is refused."""
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for prefix in ("", "schemas/"):
        try:
            listing = os.scandir(folder / prefix)
        except OSError:
            continue  # no schemas: a procedure of which no record could be read
        with listing:
            for number, item in enumerate(listing):
                name = prefix + item.name
                if number > MOST_FILES:
                    raise Refused(name, "more files than a bundle holds")
                if name == "schemas" and item.is_dir(follow_symlinks=False):
                    continue
                if name not in KNOWN and not SCHEMA_NAME.fullmatch(name):
                    raise Refused(ascii(name)[1:-1], "an extra file: it is no part of a bundle")
                data = read_file(Path(item.path), name, left)
                left -= len(data)
                if name not in NO_EVIDENCE:
                    files[name] = data
    return files


def check_manifest(files: dict[str, bytes]) -> str:
    """Each file is there with the size and hash written down; returns the procedure's id."""
    if MANIFEST not in files:
        raise Refused(MANIFEST, "missing")
    text = from_text(MANIFEST, files[MANIFEST])
    manifest = from_json(MANIFEST, text.removesuffix("\n"), indent=1)
    names = list(manifest) if type(manifest) is dict and text.endswith("\n") else []
    if names != ["format", "procedure_id", "files", "sha256"]:
        raise Refused(MANIFEST, "not a manifest")
    own, listed = manifest.pop("sha256"), manifest["files"]
    if sha256(to_json(manifest, indent=1).encode()).hexdigest() != own:
        raise Refused(MANIFEST, "its own hash does not fit")
    if manifest["format"] != FORMAT or type(listed) is not dict or list(listed) != sorted(listed):
        raise Refused(MANIFEST, f"not a manifest of {FORMAT}")
    for name in sorted(REQUIRED.union(listed) - files.keys()):
        raise Refused(name, "missing")
    for name in sorted(files.keys() - {MANIFEST}):
        said = {"bytes": len(files[name]), "sha256": sha256(files[name]).hexdigest()}
        if name not in listed:
            raise Refused(name, "an extra file: the manifest does not name it")
        if listed[name] != said or list(listed[name]) != list(said):
            raise Refused(name, "not the bytes that the manifest names")
    from_uuid(MANIFEST, manifest["procedure_id"])
    return str(manifest["procedure_id"])


# ---------------------------------------------------------------------------------------------
# 3. Keys and signed notes (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature).
#    A log signs everything twice: with Ed25519, and with ML-DSA-44 for the years in which a
#    quantum computer may forge the first. Both must verify when the key file holds both.
# ---------------------------------------------------------------------------------------------

ED25519, ML_DSA_44, TEXT_ML_DSA_44 = b"\x01", b"\x06", b"\xffcryotrail/text/v1/ml-dsa-44"
PUBLIC_KEY_BYTES = {ED25519: 32, ML_DSA_44: 1312}


class LogKey(NamedTuple):
    """The public key of a log: its name, one key for each algorithm, the SHA-256 of its file."""

    origin: str
    keys: dict[bytes, bytes]
    fingerprint: str


class Note(NamedTuple):
    text: str
    signatures: list[tuple[str, bytes, bytes]]  # key name, key hash, signature


def key_hash(name: str, kind: bytes, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + kind + public_key).digest()[:4]


def parse_log_key(file: str, data: bytes) -> LogKey:
    text = from_text(file, data)
    if "PRIVATE+KEY" in text or "PRIVATE KEY" in text:
        raise Refused(file, "this is a private key; the log's public key is asked for")
    origin, keys = "", {}
    for line in text.removesuffix("\n").split("\n"):
        name, hexadecimal, encoded = [*line.split("+", 2), "", ""][:3]
        try:
            key = from_base64(file, encoded)
        except Refused:  # which quotes what it was given: of a key file, nothing is
            raise Refused(file, "not a log's public key") from None
        kind, public_key = key[:1], key[1:]
        if not 0 < len(name.encode()) < 240 or re.search(r"\s", name):
            raise Refused(file, "a key without a proper name")
        if len(public_key) != PUBLIC_KEY_BYTES.get(kind) or kind in keys:
            raise Refused(file, "a key of another kind or length, or two of one kind")
        if hexadecimal != key_hash(name, kind, public_key).hex() or origin not in ("", name):
            raise Refused(file, "the hash of a key does not fit, or its keys have two names")
        origin, keys[kind] = name, public_key
    if list(keys) != sorted(keys) or not text.endswith("\n"):
        raise Refused(file, "not a log's public key")
    return LogKey(origin, keys, sha256(data).hexdigest())


def parse_note(file: str, data: bytes) -> Note:
    whole = from_text(file, data)
    text, border, rest = whole.rpartition("\n\n")
    lines = rest.removesuffix("\n").split("\n")
    if not border or not rest.endswith("\n") or len(lines) > MOST_SIGNATURES:
        raise Refused(file, "not a signed note")
    if any(c < " " and c != "\n" for c in whole):
        raise Refused(file, "a control character")
    signatures = []
    for line in lines:
        dash, name, encoded = [*line.split(" ", 2), "", ""][:3]
        signature = from_base64(file, encoded)
        if dash != "—" or not name or len(signature) < 5:
            raise Refused(file, "not a signature line")
        signatures.append((name, signature[:4], signature[4:]))
    return Note(text + "\n", signatures)


def signed_message(kind: bytes, name: str, text: str, time_s: bytes) -> bytes:
    """The bytes that a key signs for a note; ``time_s`` are the 8 bytes before its signature."""
    if kind == ED25519:
        return text.encode()
    if kind == TEXT_ML_DSA_44:
        return b"cryotrail/text/v1\n" + text.encode()
    origin, size, root = text.split("\n")[:3]
    signer, log = (bytes([len(each.encode())]) + each.encode() for each in (name, origin))
    tree = struct.pack(">QQ", 0, int(size)) + base64.b64decode(root)
    return b"subtree/v1\n\0" + signer + time_s + log + tree


def check_note(file: str, note: Note, key: LogKey, ml_dsa_kind: bytes) -> None:
    """Refuse a note unless every key of the file has signed it, and signed rightly.

    :param ml_dsa_kind: how ML-DSA-44 signs: ``0x06`` a checkpoint, ``0xff`` any other text.
    """
    for algorithm, public_key in key.keys.items():
        kind = ml_dsa_kind if algorithm == ML_DSA_44 else algorithm
        named = (key.origin, key_hash(key.origin, kind, public_key))
        found = [signature for *by, signature in note.signatures if tuple(by) == named]
        of = f"the {'Ed25519' if algorithm == ED25519 else 'ML-DSA-44'} key of {key.origin}"
        if not found:
            raise Refused(file, f"not signed by {of}")
        for signature in found:
            time_s = signature[:8] if kind == ML_DSA_44 else b""
            message = signed_message(kind, key.origin, note.text, time_s)
            if not verifies(algorithm, public_key, signature[len(time_s) :], message):
                raise Refused(file, f"the signature of {of} is wrong")


def verifies(kind: bytes, public_key: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    try:
        if kind == ED25519:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        else:
            MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class Checkpoint(NamedTuple):
    """Size and root of the log at the moment that was signed."""

    size: int
    root: bytes


def parse_checkpoint(file: str, note: Note, origin: str) -> Checkpoint:
    lines = note.text.split("\n")
    if len(lines) != 4 or lines[0] != origin:
        raise Refused(file, f"not a checkpoint of the log {origin}")
    found = Checkpoint(from_count(file, lines[1]), from_base64(file, lines[2]))
    if len(found.root) != 32:
        raise Refused(file, "the root is not 32 bytes")
    return found


class Head(NamedTuple):
    """What the log says of a whole procedure: so many entries, and the hash of all their leaves."""

    entry_count: int
    tree_size: int
    leaves_hash: bytes
    signed_at: str


def parse_head(file: str, note: Note, origin: str, procedure_id: str) -> Head:
    lines = note.text.split("\n")
    if len(lines) != 7 or lines[0] != f"{origin}/procedure-heads":
        raise Refused(file, f"not a procedure head of the log {origin}")
    if lines[1] != procedure_id:
        raise Refused(file, f"the head of another procedure, {lines[1]:.40}")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[5], re.ASCII):
        raise Refused(file, "not a time")
    from_moment(file, lines[5])
    count, size = from_count(file, lines[2]), from_count(file, lines[3])
    return Head(count, size, from_base64(file, lines[4]), lines[5])


# ---------------------------------------------------------------------------------------------
# 4. Framing 1 and the Merkle tree. A leaf binds every column: each as a big-endian int4 length
#    (-1 = null) and its bytes, in this order, behind 00 (RFC 6962's leaf) 01 (this framing).
# ---------------------------------------------------------------------------------------------

COLUMNS = {
    "log_id": ">h", "framing": ">h", "kind": ">h", "procedure_entry_no": ">i", "seq": ">q",
    "recorded_us": ">q", "event_id": "uuid", "event_type": "text", "procedure_id": "uuid",
    "occurred_us": ">q", "producer_id": "text", "producer_seq": ">q", "procedure_seq": ">q",
    "topic_id": ">i", "part": ">i", "incarnation": ">h", "kafka_offset": ">q",
    "kafka_timestamp_ms": ">q", "kafka_key": "base64", "kafka_headers": "base64",
    "schema_sha256": "hex", "key_id": "hex", "signing_key_id": "hex", "signature": "base64",
    "reason": "text", "source_seq": ">q", "raw": "base64", "content_hash": "hex", "leaf_hash": "hex",
}  # fmt: skip
NEVER_NULL = ("log_id", "framing", "kind", "seq", "recorded_us", "event_id", "content_hash")
DECODERS = {"uuid": from_uuid, "hex": from_hex, "base64": from_base64}

Entry = dict[str, Any]
"""The columns of one entry; UUIDs, hashes and byte strings as bytes."""


def framed(file: str, columns: Any) -> Entry:
    """The decoded columns, whose leaf hash was made from them and not believed."""
    if type(columns) is not dict or list(columns) != list(COLUMNS):
        raise Refused(file, "not the columns of an entry")
    entry: Entry = {}
    leaf = sha256(b"\x00\x01")
    for name, form in COLUMNS.items():
        value = columns[name]
        if value is None and name in NEVER_NULL:
            raise Refused(file, f"{name} is null")
        packed = b""
        if type(value) is int and form[0] == ">":
            if value.bit_length() >= 8 * struct.calcsize(form):
                raise Refused(file, f"{name} is too great for its column")
            packed = struct.pack(form, value)
        elif type(value) is str and form == "text":
            packed = value.encode()
        elif type(value) is str and form in DECODERS:
            packed = value = DECODERS[form](file, value)
        elif value is not None:
            raise Refused(file, f"{name} is of the wrong kind")
        entry[name] = value
        if name != "leaf_hash":
            leaf.update(struct.pack(">i", -1 if value is None else len(packed)) + packed)
    if entry["framing"] != 1:
        raise Refused(file, f"framing {entry['framing']} is not known here")
    if leaf.digest() != entry["leaf_hash"]:
        raise Refused(file, "the columns do not give the entry's leaf hash")
    return entry


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """The RFC 6962 root over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    while len(leaves) > 1:
        paired = [node(*pair) for pair in zip(leaves[::2], leaves[1::2], strict=False)]
        leaves = paired + leaves[len(paired) * 2 :]
    return leaves[0]


def check_inclusion(file: str, leaf: bytes, seq: int, proof: Any, checkpoint: Checkpoint) -> None:
    """RFC 9162 section 2.1.3.2: the proof leads from the leaf at ``seq`` to the root."""
    if not 0 <= seq < checkpoint.size or type(proof) is not list:
        raise Refused(file, f"entry {seq} is not in a log of {checkpoint.size} entries")
    at, last, found = seq, checkpoint.size - 1, leaf
    for encoded in proof:
        sibling = from_base64(file, encoded)
        if last == 0 or len(sibling) != 32:
            raise Refused(file, "the inclusion proof is too long, or not of hashes")
        if at & 1 or at == last:
            found = node(sibling, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, sibling)
        at, last = at >> 1, last >> 1
    if last != 0 or found != checkpoint.root:
        raise Refused(file, "the inclusion proof does not lead to the checkpoint's root")


def read_entries(files: dict[str, bytes], name: str, checkpoint: Checkpoint) -> list[Entry]:
    """The entries of one file, every one proved to be in the log, in the order of the log."""
    lines = from_text(name, files[name]).split("\n")
    if lines.pop() != "" or len(lines) > MOST_ENTRIES:
        raise Refused(name, "its last line is not ended, or it has too many")
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        where = f"{name}, line {number}"
        item = from_json(where, line)
        if type(item) is not dict or list(item) != ["columns", "proof"]:
            raise Refused(where, "not an entry with its proof")
        entry = framed(where, item["columns"])
        check_inclusion(where, entry["leaf_hash"], entry["seq"], item["proof"], checkpoint)
        if entries and entries[-1]["seq"] >= entry["seq"]:
            raise Refused(where, "the entries are not in the order of the log")
        entries.append(entry)
    return entries


# ---------------------------------------------------------------------------------------------
# 5. What the log says of itself: schemas, topics and keys are entries too (kind 3).
# ---------------------------------------------------------------------------------------------


class Said(NamedTuple):
    schemas: dict[bytes, Any]  # by SHA-256 of the text: the type that it defines
    fingerprints: dict[bytes, bytes]
    topics: dict[int, str]
    keys: dict[bytes, list[Statement]]  # by key id, in the order of the log
    erased: set[str]  # ids of destroyed keys of personal text


class Statement(NamedTuple):
    """What the log says about a producer's key; it holds from ``since`` to before ``until``."""

    is_revocation: bool
    public_key: bytes
    holder: str
    device_ids: list[str] | None
    since: int
    until: int | None


def parse_statement(said: Any) -> Statement | None:
    """What is no statement about an Ed25519 key by its own id counts for nothing."""
    try:
        public_key = from_base64(LOG, said["public_key"])
        devices, until = said["device_ids"], said["valid_until"]
        if (said["algorithm"], said["key_id"]) != ("Ed25519", sha256(public_key).hexdigest()[:16]):
            return None
        return Statement(
            {"registered": False, "revoked": True}[said["statement"]],
            public_key,
            str(said["holder"]),
            None if devices is None else list(map(str, devices)),
            from_moment(LOG, said["valid_from"]),
            None if until is None else from_moment(LOG, until),
        )
    except (Refused, KeyError, TypeError):
        return None


def read_log(files: dict[str, bytes], checkpoint: Checkpoint) -> Said:
    said = Said({}, {}, {}, {}, set())
    unproved = {name for name in files if SCHEMA_NAME.fullmatch(name)}
    for number, entry in enumerate(read_entries(files, LOG, checkpoint), 1):
        where = f"{LOG}, line {number}"
        raw = entry["raw"] or b""
        if entry["kind"] != 3 or sha256(raw).digest() != entry["content_hash"]:
            raise Refused(where, "not an administrative entry with its content")
        try:
            payload = json.loads(raw)
            if entry["event_type"] == "schema":
                text, digest = payload["text"], from_hex(where, payload["sha256"])
                name = f"schemas/{digest.hex()}.avsc"
                if sha256(text.encode()).digest() != digest:
                    raise Refused(where, "the text of a schema does not have the hash stated")
                if files.get(name) != text.encode():
                    raise Refused(name, "missing, or not the text that the log holds")
                unproved.discard(name)
                said.schemas[digest] = parse_schema(name, text)
                said.fingerprints[digest] = from_hex(where, payload["fingerprint"])
            elif entry["event_type"] == "topic":
                said.topics[payload["topic_id"]] = str(payload["name"])
            elif entry["event_type"] == "key":
                if statement := parse_statement(payload):
                    key_id = sha256(statement.public_key).digest()[:8]
                    said.keys.setdefault(key_id, []).append(statement)
            elif entry["event_type"] == "erasure":
                said.erased.update(from_hex(where, key_id).hex() for key_id in payload["key_ids"])
            else:
                raise Refused(where, f"an extra entry: {entry['event_type']!r:.40}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Refused(where, f"cannot be read: {error!r:.80}") from None
    for name in sorted(unproved):
        raise Refused(name, f"no entry of {LOG} is the proof of this schema")
    return said


# ---------------------------------------------------------------------------------------------
# 6. A small Avro reader (avro.apache.org, specification 1.12, binary encoding).
#    A type is a tuple: its kind, then what the kind needs. A schema in which something takes no
#    bytes, or contains itself, is refused: such a body could claim more than it holds.
# ---------------------------------------------------------------------------------------------

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")


class Unreadable(Exception):
    """The bytes are no body of this schema."""


def parse_schema(file: str, text: str) -> Any:
    def parse(item: Any, space: str, level: int) -> tuple[Any, ...]:
        if level > MOST_LEVELS:
            raise ValueError("it nests too deep")
        if type(item) is str:
            if item in PRIMITIVES:
                return (item, None)
            return named[item if "." in item else f"{space}.{item}"]
        if type(item) is list:
            return ("union", [parse(branch, space, level + 1) for branch in item])
        kind, logical, scale = item["type"], item.get("logicalType"), item.get("scale", 0)
        if type(scale) is not int or not 0 <= scale <= 300:
            raise ValueError("a scale beyond every number")
        if kind in ("record", "error", "enum", "fixed"):
            space = item.get("namespace", space)
            name = item["name"] if "." in item["name"] else f"{space}.{item['name']}"
            space = name.rpartition(".")[0]
            if kind == "enum":
                named[name] = ("enum", list(map(str, item["symbols"])))
            elif kind == "fixed":
                named[name] = ("fixed", int(item["size"]), logical, scale)
                if named[name][1] < 1:
                    raise ValueError("a fixed of no bytes")
            else:
                fields = [
                    (str(f["name"]), parse(f["type"], space, level + 1)) for f in item["fields"]
                ]
                if not fields or any(field[0] == "null" for _, field in fields):
                    raise ValueError("a record or field that takes no bytes")
                named[name] = ("record", name, fields)
            return named[name]
        if kind in ("array", "map"):
            inner = parse(item["items" if kind == "array" else "values"], space, level + 1)
            if inner[0] == "null":
                raise ValueError("items that take no bytes")
            return (kind, inner)
        inner = parse(kind, space, level + 1)
        return (inner[0], logical, scale) if inner[0] in PRIMITIVES else inner

    named: dict[str, tuple[Any, ...]] = {}
    try:
        found = parse(json.loads(text), "", 0)
        if found[0] != "record":
            raise ValueError("not a record")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(file, f"not an Avro schema that can be read here: {error!r:.80}") from None
    return found


class Body:
    """Reads one body from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        if size < 0 or size > len(self.data) - self.at:
            raise Unreadable("it ends too early")
        self.at += size
        return self.data[self.at - size : self.at]

    def long(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return (value >> 1) ^ -(value & 1)
        raise Unreadable("an integer of more than 64 bits")

    def blocks(self) -> Iterator[int]:
        """Yields once for each item of an array or a map."""
        while count := self.long():
            if count < 0:
                count = -count
                self.long()  # the size of the block in bytes
            if count > len(self.data) - self.at:  # every item takes a byte or more
                raise Unreadable("more items than bytes")
            yield from range(count)

    def value(self, form: Any) -> Any:
        kind, detail = form[0], form[1]
        if kind == "record":
            fields = ((name, self.value(field)) for name, field in form[2])
            return {name: value for name, value in fields if value is not None}
        if kind == "union":
            index = self.long()
            if not 0 <= index < len(detail):
                raise Unreadable("no such branch of a union")
            return self.value(detail[index])
        if kind == "enum":
            index = self.long()
            if not 0 <= index < len(detail):
                raise Unreadable("no such symbol")
            return detail[index]
        if kind == "array":
            return [self.value(detail) for _ in self.blocks()]
        if kind == "map":
            pairs = [(self.take(self.long()).decode(), self.value(detail)) for _ in self.blocks()]
            return {name: value for name, value in dict(pairs).items() if value is not None}
        return self.primitive(kind, detail, form)

    def primitive(self, kind: str, detail: Any, form: Any) -> Any:
        if kind == "null":
            return None
        if kind == "boolean":
            return self.take(1) != b"\x00"
        if kind in ("int", "long"):
            return moment(detail, self.long())
        if kind in ("float", "double"):
            packed = "<f" if kind == "float" else "<d"
            number = struct.unpack(packed, self.take(struct.calcsize(packed)))[0]
            return number if abs(number) < float("inf") else str(number)  # NaN is not below it
        if kind == "string":
            text = self.take(self.long()).decode()
            return str(UUID(text)) if detail == "uuid" else text
        data = self.take(detail if kind == "fixed" else self.long())
        if "decimal" in form[1:3]:
            return int.from_bytes(data, "big", signed=True) / 10 ** form[-1]
        return data.hex()


def moment(logical: str | None, number: int) -> Any:
    if logical == "timestamp-micros":
        return to_moment(number)
    if logical == "date":
        return date.fromordinal(EPOCH_DAY + number).isoformat()
    return number


def decoded(body: bytes, form: Any) -> dict[str, Any]:
    """A body as its schema names it, without what is null.

    Times are ISO 8601, days dates, decimals numbers, bytes hexadecimal.

    :raises Unreadable: the bytes are no body of this schema, or bytes follow it.
    """
    reader = Body(body)
    try:
        record = reader.value(form)
    except (ValueError, OverflowError, RecursionError) as error:
        raise Unreadable(str(error)) from None
    if reader.at != len(body):
        raise Unreadable("bytes follow the record")
    return {"type": form[1].removeprefix("cryotrail.events."), **record}


# ---------------------------------------------------------------------------------------------
# 7. The procedure's entries: numbered without a gap, each body read by its own schema.
# ---------------------------------------------------------------------------------------------

KINDS = ("event", "conflict", "quarantined")
SEAL, TELEMETRY = "ProcedureSealed", "ProbeTelemetryChunk"


def body_of(where: str, entry: Entry, said: Said) -> bytes:
    """The Avro body without its framing, which must name the schema of the entry."""
    raw, digest = entry["raw"] or b"", entry["schema_sha256"]
    if digest not in said.schemas:
        raise Refused(where, "its schema is not in the bundle with a proof of its own")
    if raw[:2] == b"\xc3\x01" and len(raw) >= 10:
        if raw[2:10] != said.fingerprints[digest]:
            raise Refused(where, "its frame names another schema")
        return raw[10:]
    if raw[:1] == b"\x00" and len(raw) >= 5:
        return raw[5:]  # the id that a schema registry gave: only the column says which schema
    raise Refused(where, "its bytes have no frame")


def check_entry(where: str, number: int, entry: Entry, said: Said, procedure: str) -> str:
    """Judge one entry; returns its line of the readable copy, and keeps what section 8 needs."""
    if entry["kind"] not in range(3) or entry["procedure_entry_no"] != number:
        raise Refused(where, f"not entry {number} of the procedure: one is missing or exchanged")
    if entry["procedure_id"] != UUID(procedure).bytes:
        raise Refused(where, "an entry of another procedure")
    if entry["topic_id"] not in said.topics:
        raise Refused(where, "its topic is not in the bundle with a proof of its own")
    content = entry["raw"] or b"" if entry["kind"] == 2 else body_of(where, entry, said)
    if sha256(content).digest() != entry["content_hash"]:
        raise Refused(where, "its bytes do not have the content hash")
    if entry["kind"] < 2:
        entry["body"] = content
        with contextlib.suppress(Unreadable):  # then the recorder could read it; its bytes stand
            entry["event"] = decoded(content, said.schemas[entry["schema_sha256"]])
            check_columns(where, entry)
    line = {"entry": number, "kind": KINDS[entry["kind"]]}
    line |= {"recorded_at": to_moment(entry["recorded_us"]), "reason": entry["reason"]}
    return to_json({**line, "event": entry.get("event")})


def check_columns(where: str, entry: Entry) -> None:
    """The columns say of the event what its body says."""
    event = entry["event"]
    try:
        header = event["header"]
        ids = [UUID(header[name]).bytes for name in ("event_id", "procedure_id")]
        at = header["occurred_at"]
        said = [*ids, event["type"], at if type(at) is int else from_moment(where, at)]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused(where, "its body has no header") from None
    if said != [entry[n] for n in ("event_id", "procedure_id", "event_type", "occurred_us")]:
        raise Refused(where, "its columns and its body disagree")


def check_head(head: Head, entries: list[Entry]) -> None:
    """The entries are all that the head counts, and later ones were recorded after it."""
    count = head.entry_count
    if count > len(entries):
        raise Refused(HEAD, f"it counts {count} entries, the bundle has {len(entries)}")
    leaves = b"".join(entry["leaf_hash"] for entry in entries[:count])
    if sha256(leaves).digest() != head.leaves_hash:
        raise Refused(HEAD, f"its hash is not that of the entries 1 to {count}")
    if any((e["seq"] < head.tree_size) != (n < count) for n, e in enumerate(entries)):
        raise Refused(HEAD, "its count does not fit the entries of a log of its size")


# ---------------------------------------------------------------------------------------------
# 8. Origin: what producers signed. A seal counts the events of a procedure day and covers their
#    contents by one root; it, every correction and whatever comes after it are signed singly.
#    Copies that arrived again are no entries, so they are not here: a seal that only they would
#    fill is called incomplete.
# ---------------------------------------------------------------------------------------------

MALFORMED = {"malformed_signature", "malformed_signing_key_id"}  # flags of the recorder


def signature_verdict(entry: Entry, said: Said) -> str:
    """How the signature of an event stands at the time it was recorded: ``signed by`` its holder."""
    key_id, signature, then = entry["signing_key_id"], entry["signature"], entry["recorded_us"]
    malformed = not MALFORMED.isdisjoint((entry["reason"] or "").split(","))
    if key_id is None and signature is None and not malformed:
        return "unsigned"
    if key_id is None or signature is None or malformed or "event" not in entry:
        return "malformed"
    statements = said.keys.get(key_id, [])
    registered = [one for one in statements if not one.is_revocation]
    if not registered:
        return "key unknown"
    message = b"cryotrail-event-v1\0" + entry["body"]
    if not verifies(ED25519, registered[-1].public_key, signature, message):
        return "signature wrong"
    if any(one.is_revocation and one.since <= then for one in statements):
        return "key revoked"
    holding = [one for one in registered if one.since <= then < (one.until or then + 1)]
    if not holding:
        return "key not valid then"
    devices = holding[-1].device_ids
    if devices is not None and entry["event"]["header"].get("device_id") not in devices:
        return "other device"
    return f"signed by {holding[-1].holder}"


SEAL_FIELDS = {
    "sealed_producer_ids": list,
    "event_count": int,
    "telemetry_chunk_count": int,
    "content_root": str,
}


def is_readable_seal(entry: Entry) -> bool:
    """Whether it says what seals say; a schema of this name may be a stranger's."""
    event = entry.get("event", {})
    return all(type(event.get(name)) is kind for name, kind in SEAL_FIELDS.items())


def covers(seal: Entry, entry: Entry) -> bool:
    """By its outbox; a replay's seal names none and covers what occurred until then."""
    if entry["kind"] == 2 or entry["event_type"] == SEAL:
        return False
    producers = seal["event"]["sealed_producer_ids"]
    if producers:
        return entry["producer_id"] in producers
    return bool(entry["occurred_us"] <= seal["occurred_us"])


def seal_verdict(seal: Entry, entries: list[Entry]) -> str:
    """Whether the recorded events are those that the seal counts and covers."""
    # By event id its contents, the recorded one first; None = what was recorded is not covered.
    choices: dict[bytes, list[bytes | None]] = {}
    covered = [entry for entry in entries if covers(seal, entry)]
    for entry in sorted(covered, key=lambda e: (e["event_id"], e["kind"])):
        contents = choices.setdefault(entry["event_id"], [None] if entry["kind"] else [])
        if entry["content_hash"] not in contents:
            contents.append(entry["content_hash"])
    chunks = {e["event_id"] for e in covered if e["event_type"] == TELEMETRY}
    event = seal["event"]
    sealed = (event["event_count"], event["telemetry_chunk_count"], event["content_root"])
    count = math.prod(map(len, choices.values()))
    if count > MOST_COMBINATIONS or count * len(choices) > MOST_HASHES:
        count = 1
    for chosen in itertools.islice(itertools.product(*choices.values()), count):
        there = [event_id for event_id, content in zip(choices, chosen, strict=True) if content]
        count = len(chunks.intersection(there))
        root = root_of([sha256(b"\0" + content).digest() for content in chosen if content])
        if (len(there) - count, count, root.hex()) == sealed:
            pairs = zip(chosen, choices.values(), strict=True)
            displaced = sum(content != contents[0] for content, contents in pairs)
            return f"{displaced} displaced" if displaced else "sealed and complete"
    recorded = {event_id for event_id, contents in choices.items() if contents[0]}
    found = (len(recorded - chunks), len(recorded & chunks))
    missing = sum(max(0, n - m) for n, m in zip(sealed[:2], found, strict=True))
    extra = sum(max(0, m - n) for n, m in zip(sealed[:2], found, strict=True))
    words = [f"missing {missing}"] * (missing > 0) + [f"{extra} extra"] * (extra > 0)
    return ", ".join(words) or "content differs"


PERSONAL_HEADER = ("personal_key_id", "personal_ciphertext")


def is_personal(pointer: str) -> bool:
    """Whether text of a person may stand there: at ``*_text``, ``series_uid``, or what is around."""
    if not pointer.startswith("/"):
        return True
    names = [each.replace("~1", "/").replace("~0", "~") for each in pointer[1:].split("/")]
    return any(name.endswith("_text") or name == "series_uid" for name in names)


def without_text(event: dict[str, Any]) -> dict[str, Any]:
    """What is left of an event when nothing of its personal text is, in clear or encrypted."""
    left = {name: value for name, value in event.items() if not is_personal(f"/{name}")}
    left["header"] = {n: v for n, v in event["header"].items() if n not in PERSONAL_HEADER}
    if type(event.get("changes")) is list:
        left["changes"] = [
            {n: v for n, v in change.items() if n not in ("value_json", "old_value_json")}
            if type(change) is dict and is_personal(str(change.get("path", "")))
            else change
            for change in event["changes"]
        ]
    return left


def withheld_copies(entries: list[Entry], said: Said) -> list[Entry]:
    """Conflicts that are the same event published again after its text was erased, without it."""
    first = {e["event_id"]: e.get("event") for e in entries if e["kind"] == 0}
    found = []
    for entry in entries:
        event, original = entry.get("event"), first.get(entry["event_id"])
        if entry["kind"] != 1 or event is None or original is None:
            continue
        key_id, ciphertext = map(event["header"].get, PERSONAL_HEADER)
        is_without = ciphertext is None and key_id in said.erased
        if is_without and without_text(event) == without_text(original):
            found.append(entry)
    return found


def origin_findings(seals: list[dict[str, Any]], displaced: int, singly: list[str]) -> list[str]:
    """What is wrong with seals and signatures; unsigned and not sealed are not."""
    wrong = [seal["verdict"] for seal in seals if seal["verdict"] != "sealed and complete"]
    wrong += [f"{displaced} displaced by signature"] * bool(displaced)
    return wrong + [
        status
        for status in dict.fromkeys(singly)
        if status.startswith("origin not proved (") and status != "origin not proved (unsigned)"
    ]


def judge_origin(entries: list[Entry], said: Said) -> dict[str, Any]:
    """The verdict of every seal, and of every event that is, or must be, signed singly."""
    withheld = withheld_copies(entries, said)
    again = {entry["seq"] for entry in withheld}
    events = [entry for entry in entries if entry["kind"] == 0]
    sealable = [entry for entry in entries if entry["seq"] not in again]
    seals = [e for e in events if e["event_type"] == SEAL and is_readable_seal(e)]
    readable = {entry["seq"] for entry in seals}
    if len(seals) > MOST_SEALS:
        raise Refused(ENTRIES, f"{len(seals)} seals are more than a procedure has")
    covered = {e["event_id"] for e in entries if any(covers(seal, e) for seal in seals)}
    verdicts, signed, after, displaced = [], [], 0, 0
    first: dict[bytes, bool] = {}
    for entry in entries:
        status = signature_verdict(entry, said) if entry["kind"] < 2 else "unsigned"
        proved = status.startswith("signed by ")
        origin = status if proved else f"origin not proved ({status})"
        is_after = seals and entry["event_type"] != SEAL and entry["event_id"] not in covered
        after += bool(is_after and entry["kind"] == 0)
        must = is_after or entry["event_type"] in (SEAL, "EventAmended", "EventVoided")
        described = {"entry": entry["procedure_entry_no"], "event_type": entry["event_type"]}
        if (must and entry["kind"] == 0) or status != "unsigned":
            signed.append({**described, "origin": origin})
        if entry["kind"] == 0 and entry["event_type"] == SEAL:
            verdict = (
                seal_verdict(entry, sealable) if entry["seq"] in readable else "seal unreadable"
            )
            verdicts.append({"entry": described["entry"], "verdict": verdict, "origin": origin})
        # A conflict that its producer signed, where what came first is not: the first is displaced.
        if entry["seq"] not in again and entry["kind"] == 1 and proved:
            displaced += first.get(entry["event_id"]) is False
        first.setdefault(entry["event_id"], proved)
    return {
        "seals": verdicts,
        "after_the_seal": after,
        "displaced_by_signature": displaced,
        "copies_without_erased_text": len(withheld),
        "signed_singly": signed,
        "origin_findings": origin_findings(verdicts, displaced, [e["origin"] for e in signed]),
    }


# ---------------------------------------------------------------------------------------------
# 9. The whole, and what to say of it.
# ---------------------------------------------------------------------------------------------


def verify(folder: Path, log_key: bytes | None = None) -> dict[str, Any]:
    """Judge a bundle.

    :param log_key: the file of the log's public key, from somewhere else than the bundle.
    :raises Refused: something is not as it should be; names the file.
    """
    return verify_files(read_folder(folder), log_key)


def verify_files(files: dict[str, bytes], log_key: bytes | None = None) -> dict[str, Any]:
    """The same of a bundle's files by name, read already."""
    procedure = check_manifest(files)
    enclosed = parse_log_key(KEY, files[KEY])
    key = enclosed if log_key is None else parse_log_key("the given log key", log_key)
    note = parse_note(CHECKPOINT, files[CHECKPOINT])
    checkpoint = parse_checkpoint(CHECKPOINT, note, key.origin)
    check_note(CHECKPOINT, note, key, ML_DSA_44)
    same = all(key.keys.get(kind, public) == public for kind, public in enclosed.keys.items())
    if enclosed.origin != key.origin or not same:
        raise Refused(KEY, "not the log key that was given")
    head = None
    if HEAD in files:
        note = parse_note(HEAD, files[HEAD])
        head = parse_head(HEAD, note, key.origin, procedure)
        check_note(HEAD, note, key, TEXT_ML_DSA_44)

    said = read_log(files, checkpoint)
    entries = read_entries(files, ENTRIES, checkpoint)
    copy = from_text(EVENTS, files[EVENTS]).split("\n")
    for number, entry in enumerate(entries, 1):
        line = check_entry(f"{ENTRIES}, line {number}", number, entry, said, procedure)
        if copy[number - 1 : number] != [line]:
            raise Refused(f"{EVENTS}, line {number}", "not what the bytes of the entry say")
    if not entries or copy[len(entries) :] != [""]:
        raise Refused(EVENTS if entries else ENTRIES, "more lines than entries, or no entry")
    if head is not None:
        check_head(head, entries)
    events = [entry["event"] for entry in entries if "event" in entry]
    return {
        **answer(key, head, len(entries), from_outside=log_key is not None),
        "procedure_id": procedure,
        "procedure_labels": sorted({str(e.get("procedure_label", "")) for e in events} - {""}),
        "data_origin": sorted({str(e["header"].get("data_origin")) for e in events}),
        "log": key.origin,
        "tree_size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "entries": {kind: sum(e["kind"] == n for e in entries) for n, kind in enumerate(KINDS)},
        "not_readable": sum(e["kind"] < 2 and "event" not in e for e in entries),
        "recorded": [to_moment(entries[i]["recorded_us"]) for i in (0, -1)],
        **judge_origin(entries, said),
    }


def answer(key: LogKey, head: Head | None, count: int, *, from_outside: bool) -> dict[str, Any]:
    """The answer in words; each of them follows from what was checked above."""
    completeness = "completeness not proved"
    if head is not None:
        completeness = f"complete up to size {head.tree_size}, signed {head.signed_at}"
        if later := count - head.entry_count:
            completeness += f"; recorded since: {later}, their completeness not proved"
    if not from_outside:
        result, words = "consistent", f"consistent with key {key.fingerprint}; {completeness}"
    elif head is None:
        result, words = "inclusion proved", f"inclusion proved, {completeness}"
    else:
        result, words = "proved", f"proved: {completeness}"
    return {
        "result": result,
        "words": words,
        "key_fingerprint": key.fingerprint,
        "key_from_outside": from_outside,
        "complete_up_to_size": head.tree_size if head else None,
        "head_signed_at": head.signed_at if head else None,
    }


def lines_for_people(found: dict[str, Any]) -> list[str]:
    counts = ", ".join(f"{n} {kind}" for kind, n in found["entries"].items() if n)
    seals = [f"{seal['verdict']}, {seal['origin']}" for seal in found["seals"]] or ["not sealed"]
    seals += [f"{found['after_the_seal']} after the seal"] * bool(found["after_the_seal"])
    seals += [f"{found['displaced_by_signature']} displaced"] * bool(
        found["displaced_by_signature"]
    )
    if copies := found["copies_without_erased_text"]:
        seals.append(f"{copies} copies without erased text")
    singly: dict[str, list[str]] = {}
    for event in found["signed_singly"]:
        singly.setdefault(event["origin"], []).append(str(event["entry"]))
    lines = [
        f"procedure    {' '.join([found['procedure_id'], *found['procedure_labels']])}",
        f"data origin  {', '.join(found['data_origin'])} (as the producer states)",
        f"log          {found['log']}, {found['tree_size']} entries, root {found['root']}",
        f"entries      {counts}; recorded {' to '.join(found['recorded'])}",
        f"seal         {'; '.join(seals)}",
        *(f"singly       {origin}: entry {', '.join(n)}" for origin, n in singly.items()),
    ]
    if found["not_readable"]:
        lines.append(f"not read     {found['not_readable']} bodies; their bytes were checked")
    if not found["key_from_outside"]:
        lines.append("no outside anchor: the key is from the same place as the bundle (--log-key)")
    return [*lines, last_line(found)]


def last_line(found: dict[str, Any]) -> str:
    """Whether these are the recorded bytes, and apart from it what is wrong with their origin."""
    findings = ", ".join(found["origin_findings"])
    return f"{found['words']}; origin: FINDING {findings}" if findings else found["words"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify.py", description="Checks an evidence bundle.")
    parser.epilog = "exit: 0 nothing wrong was found, 1 refused or a finding, 2 wrong usage"
    here = Path(__file__).parent
    parser.add_argument("folder", metavar="DIR", nargs="?", type=Path, default=here)
    parser.add_argument(
        "--log-key", metavar="FILE", type=Path, help="the log's key, from elsewhere"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    chosen = parser.parse_args(arguments)
    if not chosen.folder.is_dir():
        parser.error(f"{chosen.folder} is not a folder")
    log_key = None
    try:
        if chosen.log_key is not None:
            if chosen.folder.resolve() in chosen.log_key.resolve().parents:
                parser.error(f"{chosen.log_key} is the bundle's own key: give one from elsewhere")
            log_key = read_file(chosen.log_key.resolve(), str(chosen.log_key), 1 << 16)
            parse_log_key(str(chosen.log_key), log_key)
    except Refused as refused:
        parser.error(str(refused))
    try:
        found = verify(chosen.folder, log_key)
    except ImportError:
        parser.error("the package cryptography is missing, or too old for ML-DSA-44")
    except Refused as refused:
        found = {"result": "refused", "file": refused.file, "reason": refused.reason}
    except Exception as error:  # noqa: BLE001 - whatever a made-up bundle provokes is a refusal
        reason = f"cannot be read: {type(error).__name__}"
        found = {"result": "refused", "file": "the bundle", "reason": reason}
    if chosen.json:
        print(json.dumps(found, indent=2))
    elif found["result"] == "refused":
        print(printable(f"refused: {found['file']}: {found['reason']}"))
    else:
        print(*map(printable, lines_for_people(found)), sep="\n")
    return int(found["result"] == "refused" or bool(found["origin_findings"]))


def printable(line: str) -> str:
    """Text of the bundle must not move a terminal's cursor."""
    return "".join(c if " " <= c <= "~" else ascii(c)[1:-1] for c in line)


if __name__ == "__main__":
    sys.exit(main())
