"""What somebody who can write the store, or hold records back before it, does: each has its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from recorded_room import RoomRecorder
from room_events import freeze, header
from sealed_days import ROOM, STRANGER, Day, forged
from signing_rooms import room, state
from waiting import until

from cryotrail_audit.origin.judging import judge_procedure
from cryotrail_audit.origin.rows import Redelivery
from cryotrail_audit.origin.signatures import SignatureState
from cryotrail_audit.origin.stored import OriginReader, read_keys, read_recorded
from cryotrail_audit.origin.verdict import OriginVerdict
from cryotrail_audit.records import IncomingRecord
from cryotrail_audit.snapshot import snapshot
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_producers.transport import MemoryTransport, OutgoingRecord
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import encode, parse_frame
from cryotrail_schemas.delivery import read_delivery
from cryotrail_schemas.events import FreezeStarted

Record = Callable[..., OriginVerdict]


@pytest.fixture
def store(sqlite_url: str) -> Iterator[AuditStore]:
    """An open, empty store; that both databases give the same is shown in test_audit_origin."""
    with closing(open_store(sqlite_url)) as opened:
        yield opened


@pytest.fixture
def record(store: AuditStore, sqlite_url: str) -> Record:
    """Records what is given into a store that knows the room's key, and judges the procedure."""
    recorder = RoomRecorder(store)
    state(store, ROOM)

    def run(
        procedure_id: UUID,
        *batches: Iterable[OutgoingRecord],
        tamper: Callable[[IncomingRecord], IncomingRecord] | None = None,
    ) -> OriginVerdict:
        for records in batches:
            recorder.record(records, tamper)
        return judged(sqlite_url, procedure_id)

    return run


def judged(url: str, procedure_id: UUID) -> OriginVerdict:
    with OriginReader.open(url) as reader:
        (verdict,) = reader.verdicts(procedure_id)
    return verdict


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return Day(tmp_path_factory.mktemp("day"))


def test_an_honest_day_is_complete_and_its_origin_proved(record: Record, day: Day) -> None:
    verdict = record(day.procedure_id, day.sent)

    assert verdict.words() == (
        "all is well: sealed and complete; origin proved: signed by CT room 2; 1 after the seal"
    )
    assert verdict.is_origin_proved and not verdict.findings()
    assert verdict.after_seal == (day.void.header.event_id,)
    assert verdict.seals[0].event_id == day.seal_id


def test_an_unsigned_day_is_complete_and_its_origin_not_proved(
    record: Record, tmp_path: Path
) -> None:
    day = Day(tmp_path, signer=None)
    verdict = record(day.procedure_id, day.sent)

    assert verdict.words() == (
        "no finding: sealed and complete; origin not proved (2 of 2 unsigned); 1 after the seal"
    )
    assert verdict.is_complete and not verdict.is_origin_proved and not verdict.findings()


def test_an_event_forged_under_the_seal_is_extra(record: Record, day: Day) -> None:
    producer_id = day.producer_id(day.clinical[0])
    verdict = record(
        day.procedure_id, day.sent, [forged(freeze(day.procedure_id, 4), producer_id, 5)]
    )

    assert verdict.words().startswith("to be looked at: 1 extra; not complete; signed by")
    assert not verdict.is_origin_proved
    assert verdict.findings() == [f"seal {day.seal_id}: 1 extra"]


def test_an_event_forged_outside_the_seal_stays_unproved(record: Record, day: Day) -> None:
    forgery = freeze(day.procedure_id, 4)
    verdict = record(day.procedure_id, day.sent, [forged(forgery)])

    assert forgery.header.event_id in verdict.after_seal
    assert not verdict.is_origin_proved
    assert verdict.words() == (
        "no finding: sealed and complete; origin not proved (1 of 3 unsigned); 2 after the seal"
    )


def test_an_event_held_back_before_the_store_is_missing(record: Record, day: Day) -> None:
    held_back = (day.clinical[1].header.event_id, day.chunks[0].header.event_id)
    verdict = record(day.procedure_id, day.without(*held_back))

    assert verdict.seals[0].missing == 2
    assert verdict.findings() == [f"seal {day.seal_id}: missing 2"]
    assert record(day.procedure_id, [day.of(one) for one in held_back]).is_origin_proved


def test_one_held_back_and_one_forged_in_its_place_is_another_content(
    record: Record, day: Day
) -> None:
    producer_id = day.producer_id(day.clinical[1])
    instead = forged(freeze(day.procedure_id, 9), producer_id, 2)
    verdict = record(day.procedure_id, [*day.without(day.clinical[1].header.event_id), instead])
    assert verdict.words().startswith("to be looked at: content differs")


@pytest.mark.parametrize("hash_made_to_fit", [True, False])
def test_a_changed_content_differs_whatever_its_hash_column_says(
    record: Record, day: Day, hash_made_to_fit: bool
) -> None:
    target = day.clinical[2].header.event_id

    def edit(incoming: IncomingRecord) -> IncomingRecord:
        if incoming.event_id != target.bytes:
            return incoming
        raw = parse_frame(incoming.raw).body
        other = encode(replace(day.clinical[2], cycle_no=8))
        assert incoming.raw is not None and len(other) == len(raw)
        fitting = sha256(other).digest() if hash_made_to_fit else incoming.content_hash
        return incoming._replace(raw=incoming.raw[:10] + other, content_hash=fitting)

    verdict = record(day.procedure_id, day.sent, tamper=edit)

    assert verdict.seals[0].content_differs
    assert verdict.findings() == [f"seal {day.seal_id}: content differs"]


def test_a_forged_event_that_came_first_is_displaced_by_what_was_sealed(
    record: Record, day: Day
) -> None:
    genuine = day.clinical[1]
    forgery = forged(replace(genuine, cycle_no=7), day.producer_id(genuine), 2)
    verdict = record(day.procedure_id, [forgery], day.sent)

    assert verdict.displaced == (genuine.header.event_id,)
    assert verdict.words().startswith("to be looked at: 1 displaced; not complete; ")
    assert not verdict.is_complete


def test_a_forged_event_under_no_number_is_displaced_too(record: Record, day: Day) -> None:
    genuine = day.clinical[1]
    verdict = record(day.procedure_id, [forged(replace(genuine, cycle_no=7))], day.sent)
    assert verdict.displaced == (genuine.header.event_id,)


def test_a_forged_correction_that_came_first_is_displaced_by_what_was_signed(
    record: Record, day: Day
) -> None:
    forgery = forged(replace(day.void, target_event_id=day.clinical[2].header.event_id))
    verdict = record(day.procedure_id, [forgery], day.sent)

    assert verdict.displaced == (day.void.header.event_id,)
    assert verdict.words() == (
        "to be looked at: 1 displaced; sealed and complete; origin not proved (1 of 2 unsigned);"
        " 1 after the seal"
    )
    assert "displaced" in verdict.findings()[0]


def test_what_was_sealed_is_no_copy_of_a_forged_event_that_says_something_else(
    record: Record, store: AuditStore, sqlite_url: str, day: Day
) -> None:
    """Whoever may append writes the sealed bytes down as a second copy of his forgery."""
    genuine = day.clinical[1]
    producer_id = day.producer_id(genuine)
    forgery = forged(replace(genuine, cycle_no=7), producer_id, 2)
    record(day.procedure_id, [forgery], day.without(genuine.header.event_id))
    with snapshot(sqlite_url) as connection:
        recorded, keys = read_recorded(connection, day.procedure_id), read_keys(connection)
    (first,) = [e for e in recorded.entries if e.event_id == genuine.header.event_id.bytes]
    copy = Redelivery(first.seq, producer_id, 2, 2, day.of(genuine.header.event_id).value)

    verdict = judge_procedure(replace(recorded, redeliveries=[copy]), store.schemas(), keys)

    assert verdict.displaced == (genuine.header.event_id,)
    assert not verdict.is_complete and not verdict.is_origin_proved


def test_the_seal_does_not_cover_which_type_of_one_layout_an_event_has(
    record: Record, day: Day
) -> None:
    """The limit that the README of origin states: who reads bytes as another type is not found."""
    thawed = catalog().current("ThawStopped")

    def relabelled(sent: OutgoingRecord) -> OutgoingRecord:
        value = sent.value
        return sent._replace(value=value[:2] + thawed.fingerprint + value[10:])

    frozen = day.of(day.clinical[1].header.event_id)
    verdict = record(
        day.procedure_id, [relabelled(one) if one == frozen else one for one in day.sent]
    )

    assert verdict.is_origin_proved


def test_a_conflict_that_nobody_sealed_displaces_nothing(record: Record, day: Day) -> None:
    genuine = day.clinical[1]
    junk = forged(replace(genuine, cycle_no=7), day.producer_id(genuine), 2)
    verdict = record(day.procedure_id, day.sent, [junk])
    assert verdict.is_origin_proved and not verdict.displaced


def test_more_conflicts_than_can_be_tried_are_another_content(record: Record, day: Day) -> None:
    producer_id = day.producer_id(day.clinical[0])
    junk = [
        forged(replace(event, cycle_no=20 + number), producer_id, 2)
        for event in day.clinical
        for number in range(7)
    ]
    verdict = record(day.procedure_id, junk, day.sent)
    assert verdict.seals[0].content_differs  # 8 * 8 * 8 combinations, 256 are tried


def test_a_seal_copied_to_another_procedure_stands_for_nothing(
    record: Record, day: Day, tmp_path: Path
) -> None:
    other = Day(tmp_path)
    other_seal = other.of(other.seal_id)

    def move(incoming: IncomingRecord) -> IncomingRecord:
        if incoming.event_id != other.seal_id.bytes:
            return incoming
        return incoming._replace(procedure_id=day.procedure_id.bytes)

    unsealed = day.without(day.seal_id, day.void.header.event_id)
    verdict = record(day.procedure_id, [*unsealed, other_seal], tamper=move)

    assert not verdict.is_sealed and not verdict.is_complete
    assert verdict.words() == (
        f"to be looked at: seal unreadable, ProcedureSealed: malformed, key {ROOM.key_id.hex()};"
        " not complete; origin not proved"
    )
    assert len(verdict.findings()) == 2


def test_a_signature_copied_from_another_event_is_wrong(record: Record, day: Day) -> None:
    body = parse_frame(day.of(day.void.header.event_id).value).body
    forgery = forged(day.void_of(day.clinical[2]), signer=ROOM, signed_body=body)
    verdict = record(day.procedure_id, day.sent, [forgery])

    assert "EventVoided: signature wrong" in verdict.words()
    assert verdict.findings() and not verdict.is_origin_proved


def test_a_key_that_nobody_registered_proves_nothing(record: Record, tmp_path: Path) -> None:
    day = Day(tmp_path, signer=STRANGER)
    verdict = record(day.procedure_id, day.sent)

    assert {one.state for one in verdict.must_be_signed} == {SignatureState.KEY_UNKNOWN}
    unknown = f"ProcedureSealed: key unknown, key {STRANGER.key_id.hex()} and 1 more"
    assert verdict.words().startswith(f"to be looked at: {unknown}; sealed and complete; ")


def test_a_stolen_key_counts_for_nothing_from_the_theft_on(
    record: Record, day: Day, store: AuditStore, sqlite_url: str
) -> None:
    assert record(day.procedure_id, day.sent).is_origin_proved
    stolen_at = datetime.now(UTC)
    by_the_thief = day.void_of(day.clinical[1])
    assert record(day.procedure_id, [forged(by_the_thief, signer=ROOM)]).is_origin_proved

    state(store, ROOM, statement="revoked", valid_from=stolen_at, reason="stolen")
    verdict = judged(sqlite_url, day.procedure_id)

    states = {one.event_id: one.state for one in verdict.must_be_signed}
    assert states == {
        day.seal_id: SignatureState.VALID,
        day.void.header.event_id: SignatureState.VALID,
        by_the_thief.header.event_id: SignatureState.KEY_REVOKED,
    }
    assert "key revoked" in verdict.words() and verdict.findings()


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"valid_until": datetime.now(UTC) - timedelta(days=1)}, SignatureState.KEY_NOT_VALID_THEN),
        ({"valid_from": datetime.now(UTC) + timedelta(days=1)}, SignatureState.KEY_NOT_VALID_THEN),
        ({"device_ids": ("CRYO-17", "CRYO-18")}, SignatureState.VALID),
        ({"device_ids": ("CRYO-18",)}, SignatureState.OTHER_DEVICE),
    ],
)
def test_a_key_counts_within_its_time_and_for_its_devices(
    record: Record,
    store: AuditStore,
    tmp_path: Path,
    bounds: dict[str, object],
    expected: SignatureState,
) -> None:
    state(store, STRANGER, **bounds)
    day = Day(tmp_path, signer=STRANGER, device="CRYO-17")
    verdict = record(day.procedure_id, day.sent)
    assert {one.state for one in verdict.must_be_signed} == {expected}


def test_a_key_bound_to_a_device_does_not_sign_for_an_unnamed_one(
    record: Record, store: AuditStore, tmp_path: Path
) -> None:
    state(store, STRANGER, device_ids=("CRYO-17",))
    day = Day(tmp_path, signer=STRANGER)
    verdict = record(day.procedure_id, day.sent)
    assert {one.state for one in verdict.must_be_signed} == {SignatureState.OTHER_DEVICE}


@pytest.mark.parametrize(
    ("header_name", "value", "expected"),
    [
        ("ce_signature", b"not base64!", SignatureState.MALFORMED),
        ("ce_signingkeyid", None, SignatureState.MALFORMED),
        ("ce_signature", b"AAAA", SignatureState.WRONG),
    ],
)
def test_a_broken_signature_header_is_a_finding(
    record: Record, day: Day, header_name: str, value: bytes | None, expected: SignatureState
) -> None:
    seal = day.of(day.seal_id)
    headers = [(name, given) for name, given in seal.headers if name != header_name]
    broken = seal._replace(headers=headers + ([(header_name, value)] if value else []))
    verdict = record(day.procedure_id, [*day.without(day.seal_id), broken])

    assert verdict.seals[0].signature.state is expected
    assert verdict.findings() and not verdict.is_origin_proved


def test_a_seal_whose_signature_was_taken_off_is_unproved(record: Record, day: Day) -> None:
    seal = day.of(day.seal_id)
    bare = seal._replace(headers=[h for h in seal.headers if not h[0].startswith("ce_sign")])
    verdict = record(day.procedure_id, [*day.without(day.seal_id), bare])
    assert verdict.is_complete and not verdict.is_origin_proved and not verdict.findings()


def test_a_void_of_a_seal_is_reported_and_has_no_effect(record: Record, day: Day) -> None:
    sealed = FreezeStarted(
        header=replace(header(day.procedure_id), event_id=day.seal_id), probe_id="1", cycle_no=1
    )
    verdict = record(day.procedure_id, day.sent, [forged(day.void_of(sealed), signer=ROOM)])

    assert verdict.voided_seals == (day.seal_id,)
    assert verdict.is_complete
    assert "void of a seal, without effect" in verdict.words() and verdict.findings()


def test_a_number_on_two_events_is_reported(record: Record, day: Day) -> None:
    producer_id = day.producer_id(day.void)
    seq = read_delivery(day.of(day.void.header.event_id).headers).procedure_seq
    copied = forged(day.void_of(day.clinical[1]), producer_id, seq, signer=ROOM)
    verdict = record(day.procedure_id, day.sent, [copied])

    (reused,) = verdict.reused_numbers
    assert (reused.producer_id, reused.procedure_seq, len(reused.event_ids)) == (
        producer_id,
        seq,
        2,
    )
    assert "sequence reused" in verdict.words() and verdict.findings()


def test_a_day_without_its_seal_is_not_sealed(record: Record, day: Day) -> None:
    verdict = record(day.procedure_id, day.without(day.seal_id))
    assert verdict.words() == "no finding: not sealed; signed by CT room 2"
    assert not verdict.findings() and not verdict.is_origin_proved


def test_two_outboxes_seal_each_its_own_also_what_both_sent(
    record: Record, day: Day, tmp_path: Path
) -> None:
    second, transport = freeze(day.procedure_id, 5), MemoryTransport()
    with room(tmp_path / "second.sqlite3", transport, ROOM) as publisher:
        publisher.publish_many([day.clinical[0], second])
        publisher.seal(day.procedure_id)
        until(lambda: publisher.status().waiting == 0)
    verdict = record(day.procedure_id, day.sent, transport.records)

    assert len(verdict.seals) == 2 and verdict.is_origin_proved
    assert verdict.words().startswith("all is well: sealed and complete (2 seals); ")
