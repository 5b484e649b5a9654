"""A publisher with a key signs seals, corrections and what follows a seal, over the body alone."""

from __future__ import annotations

import os
import stat
import subprocess
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from room_events import SOURCE, freeze, header
from signing_rooms import key, room
from waiting import until

from cryotrail_producers.encoding import outbox_entry
from cryotrail_producers.errors import SigningKeyRefused
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.signing import Ed25519Signer, create_key_files, key_id_of_file
from cryotrail_producers.transport import MemoryTransport, OutgoingRecord
from cryotrail_schemas.codec import encode, parse_frame
from cryotrail_schemas.delivery import read_delivery
from cryotrail_schemas.events import CorrectionReason, Event, EventVoided
from cryotrail_schemas.signing import event_preimage, signing_key_id


def void_of(target: Event) -> EventVoided:
    return EventVoided(
        header=header(target.header.procedure_id),
        target_event_id=target.header.event_id,
        target_content_hash=sha256(encode(target)).digest(),
        reason=CorrectionReason.DUPLICATE,
    )


def verified(record: OutgoingRecord, signer: Ed25519Signer) -> bool:
    """Whether a record is signed by this key, over exactly its body."""
    delivery = read_delivery(record.headers)
    assert delivery.signing_key_id == signer.key_id and delivery.signature is not None
    public_key = Ed25519PublicKey.from_public_bytes(signer.public_key)
    try:
        public_key.verify(
            delivery.signature, b"cryotrail-event-v1\0" + parse_frame(record.value).body
        )
    except InvalidSignature:
        return False
    return True


def sent(
    path: Path, procedure: UUID, signer: Ed25519Signer | None, *events: Event
) -> list[OutgoingRecord]:
    """What arrives of these events and the seal of their procedure."""
    transport = MemoryTransport()
    with room(path, transport, signer) as publisher:
        publisher.publish_many(events)
        publisher.seal(procedure)
        until(lambda: publisher.status().waiting == 0)
    return transport.records


def test_seals_and_corrections_are_signed_and_the_day_is_not(tmp_path: Path) -> None:
    procedure, signer = uuid4(), key()
    first = freeze(procedure)
    day, void, seal = sent(tmp_path / "o.sqlite3", procedure, signer, first, void_of(first))

    assert read_delivery(day.headers).signature is None
    assert verified(void, signer) and verified(seal, signer)


def test_without_a_key_nothing_is_signed(tmp_path: Path) -> None:
    procedure = uuid4()
    first = freeze(procedure)
    records = sent(tmp_path / "o.sqlite3", procedure, None, first, void_of(first))

    assert len(records) == 3
    for record in records:
        delivery = read_delivery(record.headers)
        assert (delivery.signing_key_id, delivery.signature) == (None, None)


def test_a_signature_waits_in_the_outbox_and_is_sent_by_whoever_sends(tmp_path: Path) -> None:
    path, procedure, signer, transport = tmp_path / "o.sqlite3", uuid4(), key(), MemoryTransport()
    transport.outage = "no broker"
    with room(path, transport, signer) as publisher:
        publisher.publish(void_of(freeze(procedure)))
    transport.outage = None
    with room(path, transport, signer=None) as publisher:
        until(lambda: publisher.status().waiting == 0)

    assert verified(transport.records[0], signer)


def test_the_key_file_of_the_settings_signs(tmp_path: Path) -> None:
    made, transport = create_key_files(tmp_path / "room.pem"), MemoryTransport()
    settings = PublisherSettings(
        tmp_path / "o.sqlite3", SOURCE, signing_key_file=tmp_path / "room.pem"
    )
    with Publisher(settings, transport) as publisher:
        publisher.publish(void_of(freeze(uuid4())))
        publisher.wait(10)

    assert verified(transport.records[0], Ed25519Signer.from_file(made.private))


def test_a_key_is_named_by_the_hash_of_its_public_half() -> None:
    signer = key()
    assert signer.key_id == sha256(signer.public_key).digest()[:8]
    with pytest.raises(ValueError, match="31 bytes"):
        signing_key_id(bytes(31))


def test_the_same_body_has_the_same_signature_whoever_sends_it() -> None:
    body = parse_frame(outbox_entry(freeze(UUID(int=7)), SOURCE).value).body
    assert key().sign(body) == key().sign(body)
    assert event_preimage(body) == b"cryotrail-event-v1\0" + body


def test_a_new_key_is_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        made = create_key_files(tmp_path / "keys" / "room.pem")
    finally:
        os.umask(umask)

    assert stat.S_IMODE(made.private.stat().st_mode) == 0o600
    assert made.public == tmp_path / "keys" / "room.pem.pub"
    assert Ed25519Signer.from_file(made.private).key_id == made.key_id
    before = made.private.read_bytes()
    with pytest.raises(SigningKeyRefused, match="never overwritten"):
        create_key_files(made.private)
    assert made.private.read_bytes() == before


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    made = create_key_files(tmp_path / "room.pem")
    made.private.chmod(0o640)
    with pytest.raises(SigningKeyRefused, match="others than its owner") as refused:
        Ed25519Signer.from_file(made.private)
    assert "chmod 600" in (refused.value.hint or "")


@pytest.mark.parametrize("content", ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n", "public", "x25519"])
def test_what_is_no_private_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "room.pem"
    if content == "public":
        content = create_key_files(tmp_path / "other.pem").public.read_text()
    if content == "x25519":
        subprocess.run(["openssl", "genpkey", "-algorithm", "x25519", "-out", path], check=True)
    else:
        path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SigningKeyRefused, match="no Ed25519 private key"):
        Ed25519Signer.from_file(path)
    with pytest.raises(SigningKeyRefused, match="cannot read"):
        Ed25519Signer.from_file(tmp_path / "missing.pem")


def test_a_key_that_openssl_made_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "room.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
    path.chmod(0o600)
    assert len(Ed25519Signer.from_file(path).public_key) == 32


def test_the_public_half_is_no_signing_key_and_is_not_to_be_hidden(tmp_path: Path) -> None:
    made = create_key_files(tmp_path / "room.pem")
    with pytest.raises(SigningKeyRefused, match="no Ed25519 private key") as refused:
        Ed25519Signer.from_file(made.public)
    assert "chmod" not in (refused.value.hint or "")
    made.public.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    with pytest.raises(SigningKeyRefused, match="no Ed25519 public key"):
        key_id_of_file(made.public)
