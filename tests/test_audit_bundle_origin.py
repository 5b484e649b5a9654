"""What a bundle says of seals and of events that their producers signed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from bundle_fixtures import BundledCase
from exported_bundles import ORIGIN, bundled, judge, judge_files
from recorded_events import EventRecorder
from sealed_case import HOLDER, PRODUCER, SealedCase, say_key

from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.origin.signatures import Judgement, SignatureState
from cryotrail_audit.origin.stored import OriginReader
from cryotrail_audit.origin.verdict import OriginVerdict
from cryotrail_audit.records import EVENT
from cryotrail_audit.store import open_store
from cryotrail_schemas.events import Event

Bundle = Callable[..., dict[str, Any]]


@pytest.fixture
def judged(sqlite_url: str) -> Bundle:
    """Records events of one outbox, bundles them, and returns what the verifier says."""

    def record(
        sealed: SealedCase,
        events: Sequence[Event],
        signed: Sequence[Event] = (),
        statements: Sequence[dict[str, Any]] = (),
        **columns: Any,
    ) -> dict[str, Any]:
        with closing(open_store(sqlite_url)) as store:
            for statement in statements:
                say_key(store, statement)
            recorder = EventRecorder(store, PRODUCER)
            recorder.record(*events)
            records = [sealed.signed(recorder, event, **columns) for event in signed]
            if records:
                recorder.append([(EVENT, item) for item in records])
        found = judge_files(bundled(sqlite_url, sealed.procedure_id, LogKey.create(ORIGIN)))
        with OriginReader.open(sqlite_url) as origin:
            (verdict,) = origin.verdicts(sealed.procedure_id)
        assert as_the_store_says(verdict) == as_the_bundle_says(found)
        return found

    return record


def as_the_store_says(verdict: OriginVerdict) -> Any:
    """The verdict of the store, whose code the verifier does not share."""
    judged = [*verdict.must_be_signed, *verdict.signed_besides]
    return (
        [seal.words() for seal in verdict.seals],
        len(verdict.after_seal),
        sorted((one.event_type, one.state.value, one.holder) for one in judged if is_valid(one)),
        sorted((one.event_type, one.state.value) for one in judged if not is_valid(one)),
    )


def as_the_bundle_says(found: dict[str, Any]) -> Any:
    """The same of the verifier."""
    singly = [(one["event_type"], one["origin"]) for one in found["signed_singly"]]
    by, not_proved = "signed by ", "origin not proved ("
    return (
        [seal["verdict"] for seal in found["seals"]],
        found["after_the_seal"],
        sorted((kind, "valid", s.removeprefix(by)) for kind, s in singly if s.startswith(by)),
        sorted(
            (kind, s.removeprefix(not_proved)[:-1]) for kind, s in singly if not s.startswith(by)
        ),
    )


def is_valid(one: Judgement) -> bool:
    return one.state is SignatureState.VALID


def verdicts(found: dict[str, Any]) -> list[str]:
    return [seal["verdict"] for seal in found["seals"]]


def test_a_signed_seal_that_fits_is_sealed_and_complete(small_bundle: BundledCase) -> None:
    found = judge(small_bundle.folder)

    assert found["seals"] == [
        {"entry": 9, "verdict": "sealed and complete", "origin": f"signed by {HOLDER}"}
    ]
    assert found["after_the_seal"] == 2
    assert [(e["entry"], e["origin"]) for e in found["signed_singly"]] == [
        (9, f"signed by {HOLDER}"),
        (10, f"signed by {HOLDER}"),
        (11, f"signed by {HOLDER}"),
    ]


def test_an_unsigned_seal_proves_no_origin(judged: Bundle) -> None:
    sealed = SealedCase()

    found = judged(sealed, [*sealed.day, sealed.seal()])

    assert found["seals"][0]["verdict"] == "sealed and complete"
    assert found["seals"][0]["origin"] == "origin not proved (unsigned)"


def test_no_seal_is_not_sealed(judged: Bundle) -> None:
    sealed = SealedCase()

    found = judged(sealed, [*sealed.day, sealed.after[1]])

    assert (found["seals"], found["after_the_seal"]) == ([], 0)
    assert [e["origin"] for e in found["signed_singly"]] == ["origin not proved (unsigned)"]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ("one event missing", "missing 1"),
        ("one chunk missing", "missing 1"),
        ("one event more", "1 extra"),
        ("another content", "content differs"),
        ("one missing and one chunk more", "missing 1, 1 extra"),
    ],
)
def test_a_seal_that_does_not_fit_says_how(judged: Bundle, change: str, verdict: str) -> None:
    sealed = SealedCase()
    day, seal = list(sealed.day), sealed.seal()
    if change == "one event missing":
        del day[1]
    elif change == "one chunk missing":
        del day[5]
    elif change == "one event more":
        day.append(sealed.case.void(day[1]))
    elif change == "another content":
        day[1] = replace(day[1], header=replace(day[1].header, device_id="forged"))
    else:
        seal = sealed.seal([*day[:5], *day[6:], sealed.case.void(day[1])])

    found = judged(sealed, [*day, seal])

    assert verdicts(found) == [verdict]


def test_a_sealed_content_that_came_second_is_displaced(judged: Bundle) -> None:
    sealed = SealedCase()
    forged = replace(sealed.day[1], header=replace(sealed.day[1].header, device_id="forged"))

    found = judged(sealed, [forged, *sealed.day, sealed.seal()])

    assert verdicts(found) == ["1 displaced"]
    assert found["entries"]["conflict"] == 1


NEVER = "2100-01-01T00:00:00Z"
LONG_AGO = "2020-06-01T00:00:00Z"


@pytest.mark.parametrize(
    ("statements", "origin"),
    [
        ([{}], f"signed by {HOLDER}"),
        ([], "origin not proved (key unknown)"),
        ([{"valid_until": LONG_AGO}], "origin not proved (key not valid then)"),
        ([{"valid_from": NEVER}], "origin not proved (key not valid then)"),
        ([{}, {"statement": "revoked", "valid_from": LONG_AGO}], "origin not proved (key revoked)"),
        ([{}, {"statement": "revoked", "valid_from": NEVER}], f"signed by {HOLDER}"),
        ([{"device_ids": ["console-1"]}], f"signed by {HOLDER}"),
        ([{"device_ids": ["another"]}], "origin not proved (other device)"),
        ([{"device_ids": ["another"]}, {"holder": "the newest"}], "signed by the newest"),
    ],
)
def test_a_key_is_judged_at_the_time_of_recording(
    judged: Bundle, statements: list[dict[str, Any]], origin: str
) -> None:
    sealed = SealedCase()
    said = [sealed.statement(**changes) for changes in statements]

    found = judged(sealed, sealed.day, [sealed.seal()], said)

    assert found["seals"][0]["origin"] == origin


@pytest.mark.parametrize(
    ("columns", "origin"),
    [
        ({"signature": bytes(64)}, "origin not proved (signature wrong)"),
        ({"signature": b"short"}, "origin not proved (signature wrong)"),
        ({"signature": None}, "origin not proved (malformed)"),
        ({"signing_key_id": None}, "origin not proved (malformed)"),
        (
            {"signing_key_id": None, "signature": None, "reason": "malformed_signature"},
            "origin not proved (malformed)",
        ),
    ],
)
def test_a_signature_that_does_not_verify_proves_nothing(
    judged: Bundle, columns: dict[str, Any], origin: str
) -> None:
    sealed = SealedCase()

    found = judged(sealed, sealed.day, [sealed.seal()], [sealed.statement()], **columns)

    assert found["seals"][0]["origin"] == origin


def test_what_is_no_statement_about_a_key_counts_for_nothing(judged: Bundle) -> None:
    sealed = SealedCase()
    said = [
        sealed.statement(),
        sealed.statement(statement="revoked", algorithm="RSA"),
        sealed.statement(statement="revoked", valid_from="yesterday"),
        sealed.statement(statement="doubted"),
        {"key_id": sealed.statement()["key_id"]},
    ]

    found = judged(sealed, sealed.day, [sealed.seal()], said)

    assert found["seals"][0]["origin"] == f"signed by {HOLDER}"


def test_a_signature_cannot_be_moved_to_another_event(judged: Bundle) -> None:
    sealed = SealedCase()
    other = sealed.private_key.sign(b"cryotrail-event-v1\0something else")

    found = judged(sealed, sealed.day, [sealed.seal()], [sealed.statement()], signature=other)

    assert found["seals"][0]["origin"] == "origin not proved (signature wrong)"
