"""With encryption on, an operator's bytes cannot bring personal text into the log in clear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from event_samples import header
from key_stores import key_store

from cryotrail_consumers.errors import CorrectionRefused
from cryotrail_consumers.operating.operator_correction import OperatorCorrection
from cryotrail_producers.personal_cipher import PersonalCipher
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import encode
from cryotrail_schemas.events import EndStatus, Event, ProcedureEnded
from cryotrail_schemas.framing import frame_confluent, frame_single_object

SAID = "VIVALDI^ANTONIO asked for it"


def ended(text: str | None) -> ProcedureEnded:
    return ProcedureEnded(header=header("ended"), status=EndStatus.ABORTED, abort_reason_text=text)


def value(event: Event) -> bytes:
    return frame_single_object(catalog().current(event.TYPE), encode(event))


@pytest.fixture
def cipher(tmp_path: Path) -> Iterator[PersonalCipher]:
    with key_store(tmp_path) as keys:
        yield PersonalCipher(keys)


def corrected(content: bytes, cipher: PersonalCipher | None) -> bytes:
    encrypt = None if cipher is None else cipher.encrypt
    return OperatorCorrection.of(content, "typed from paper", "qa-1", uuid4(), encrypt).value


def test_bytes_with_text_in_clear_are_refused_and_the_way_out_named(cipher: PersonalCipher) -> None:
    with pytest.raises(CorrectionRefused, match="some in clear: /abort_reason_text") as refused:
        corrected(value(ended(SAID)), cipher)
    assert "as JSON" in str(refused.value.hint)
    assert "VIVALDI" not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [frame_confluent(7, encode(ended(SAID))), value(ended(SAID))[:20], b"MSH|^~\\&|VIVALDI"],
    ids=["registry-framed", "cut", "foreign"],
)
def test_bytes_of_which_it_cannot_be_told_are_refused(
    content: bytes, cipher: PersonalCipher
) -> None:
    with pytest.raises(CorrectionRefused) as refused:
        corrected(content, cipher)
    assert "VIVALDI" not in str(refused.value)


@pytest.mark.parametrize("hidden", [True, False], ids=["encrypted", "without-text"])
def test_bytes_without_text_in_clear_are_taken_as_they_are(
    hidden: bool, cipher: PersonalCipher
) -> None:
    given = value(cipher.encrypt(ended(SAID)) if hidden else ended(None))
    assert corrected(given, cipher) == given


def test_without_encryption_bytes_are_taken_as_they_are() -> None:
    assert corrected(value(ended(SAID)), None) == value(ended(SAID))
