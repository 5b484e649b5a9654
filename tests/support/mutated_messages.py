"""Messages that went wrong on their way: valid ones, each changed by one of many mutations.

Everything follows from a seed. A mutation does not say what must become of its message, since a
flipped bit may leave a good event; :data:`CERTAIN` names those of which that can be told.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import NamedTuple
from uuid import UUID

from confluent_kafka import Message as Delivered
from confluent_kafka import Producer
from recorded_kafka import Message, Place

from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.framing import frame_confluent
from cryotrail_schemas.topics import MAX_MESSAGE_BYTES

# As the codec writes them: the frame, then event_id and procedure_id, each a length and 36
# characters.
_FINGERPRINT = slice(2, 10)
_BODY = 10
_EVENT_ID = slice(11, 47)
_PROCEDURE_ID = slice(48, 84)
_OVERSIZE_EVERY = 25
_FINGERPRINTS = sorted(known.fingerprint for known in catalog())
_GREAT_LENGTHS = (
    b"\xfe\xff\xff\xff\x0f",  # 2**31 - 1, zigzag
    b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # 2**63 - 1
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # -2**63
    b"\x01",  # -1
    b"\xff" * 40,  # a number that does not end
)


class Mutant(NamedTuple):
    """A changed message, and by which mutation."""

    mutation: str
    message: Message


def mutants(donors: Sequence[Message], count: int, seed: int) -> Iterator[Mutant]:
    """``count`` mutants of valid messages, the mutations in turn."""
    rng = random.Random(seed)
    for name in islice(cycle(MUTATIONS), count):
        yield Mutant(name, MUTATIONS[name](rng, rng.choice(donors)))


def produce(bootstrap: str, messages: Sequence[Message]) -> list[Place]:
    """Put messages on their topics as they are, in order; returns where Kafka put each.

    By librdkafka, since kafka-python refuses to send some of this.
    """
    places: list[Place | None] = [None] * len(messages)
    client = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "message.max.bytes": MAX_MESSAGE_BYTES,
            "batch.size": MAX_MESSAGE_BYTES // 4,
            "queue.buffering.max.messages": max(len(messages), 1),
        }
    )
    for number, one in enumerate(messages):

        def delivered(error: object, at: Delivered, number: int = number) -> None:
            assert error is None, error
            places[number] = Place(at.topic(), at.partition(), at.offset())

        partition = {} if one.partition is None else {"partition": one.partition}
        client.produce(
            one.topic, key=one.key, value=one.value, headers=list(one.headers),
            on_delivery=delivered, **partition,
        )  # fmt: skip
    assert client.flush(60) == 0
    return [place for place in places if place is not None]


def _value(message: Message) -> bytes:
    assert message.value is not None
    return message.value


def _flipped(rng: random.Random, data: bytes, first: int = 0) -> bytes:
    flipped = bytearray(data)
    flipped[rng.randrange(first, len(data))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def _with(message: Message, part: slice, replacement: bytes) -> Message:
    value = bytearray(_value(message))
    value[part] = replacement
    return message._replace(value=bytes(value))


def _bit_flip(rng: random.Random, message: Message) -> Message:
    return message._replace(value=_flipped(rng, _value(message)))


def _bit_flip_in_body(rng: random.Random, message: Message) -> Message:
    return message._replace(value=_flipped(rng, _value(message), _PROCEDURE_ID.stop))


def _many_bit_flips(rng: random.Random, message: Message) -> Message:
    value = _value(message)
    for _ in range(rng.randrange(2, 64)):
        value = _flipped(rng, value, _BODY)
    return message._replace(value=value)


def _truncation(rng: random.Random, message: Message) -> Message:
    return message._replace(value=_value(message)[: rng.randrange(1, len(_value(message)))])


def _lost_head(rng: random.Random, message: Message) -> Message:
    return message._replace(value=_value(message)[rng.randrange(1, _PROCEDURE_ID.stop) :])


def _hole(rng: random.Random, message: Message) -> Message:
    begin = rng.randrange(_BODY, len(_value(message)) - 4)
    return _with(message, slice(begin, begin + rng.randrange(1, 5)), b"")


def _null_value(_rng: random.Random, message: Message) -> Message:
    return message._replace(value=None)


def _empty_value(_rng: random.Random, message: Message) -> Message:
    return message._replace(value=b"")


def _nul_in_text(rng: random.Random, message: Message) -> Message:
    at = rng.randrange(_EVENT_ID.start, _EVENT_ID.stop)
    return _with(message, slice(at, at + 1), b"\0")


def _nul_in_later_text(rng: random.Random, message: Message) -> Message:
    value = _value(message)
    letters = [at for at in range(_PROCEDURE_ID.stop, len(value)) if 48 <= value[at] < 123]
    at = rng.choice(letters)
    return _with(message, slice(at, at + 1), b"\0")


def _id_that_is_none(rng: random.Random, message: Message) -> Message:
    part = rng.choice((_EVENT_ID, _PROCEDURE_ID))
    return _with(message, part, b"patient-%028d" % rng.randrange(10**6))


def _id_of_a_stranger(rng: random.Random, message: Message) -> Message:
    part = rng.choice((_EVENT_ID, _PROCEDURE_ID))
    return _with(message, part, str(UUID(int=rng.getrandbits(128))).encode())


def _wrong_key(rng: random.Random, message: Message) -> Message:
    key = message.key or b""
    return message._replace(
        key=rng.choice(
            (None, b"", key.upper(), key[:-1], key + b" ", b"{%s}" % key, rng.randbytes(36),
             str(UUID(int=rng.getrandbits(128))).encode(), b"\0" * 36, rng.randbytes(4000))
        )
    )  # fmt: skip


def _wrong_partition(rng: random.Random, message: Message) -> Message:
    return message._replace(partition=rng.randrange(12))


def _wrong_headers(rng: random.Random, message: Message) -> Message:
    wrong: list[tuple[str, bytes | None]] = [
        (name, rng.choice((value, None, b"", b"\0", rng.randbytes(20), b"-1", b"9" * 30)))
        for name, value in message.headers
    ]
    rng.shuffle(wrong)
    wrong += rng.choice(
        ([], wrong, [("", b"")], [("x" * 300, rng.randbytes(3000))], [("ce_id", None)] * 50)
    )
    return message._replace(headers=wrong)  # type: ignore[arg-type]


def _made_up_headers(rng: random.Random, message: Message) -> Message:
    return message._replace(headers=[(f"h{rng.getrandbits(64)}", b"") for _ in range(8)])


def _random_bytes(rng: random.Random, message: Message) -> Message:
    return message._replace(value=rng.randbytes(rng.randrange(1, 600)))


def _random_body(rng: random.Random, message: Message) -> Message:
    head = b"\xc3\x01" + rng.choice(_FINGERPRINTS)
    return message._replace(value=head + rng.randbytes(rng.randrange(600)))


def _other_text(rng: random.Random, message: Message) -> Message:
    text = rng.choice((b"MSH|^~\\&|LAB|", b'{"event": "freeze"}', b"<event/>", "Gefrieren – an"))
    return message._replace(value=text.encode() if isinstance(text, str) else text)


def _unknown_fingerprint(rng: random.Random, message: Message) -> Message:
    return _with(message, _FINGERPRINT, rng.randbytes(8))


def _fingerprint_of_another_type(rng: random.Random, message: Message) -> Message:
    own = _value(message)[_FINGERPRINT]
    return _with(message, _FINGERPRINT, rng.choice([one for one in _FINGERPRINTS if one != own]))


def _registry_frame(rng: random.Random, message: Message) -> Message:
    body = _value(message)[_BODY:]
    return message._replace(value=frame_confluent(rng.choice((0, 1, 7, 2**32 - 1)), body))


def _great_length(rng: random.Random, message: Message) -> Message:
    at = rng.randrange(_BODY, len(_value(message)))
    return _with(message, slice(at, at + 1), rng.choice(_GREAT_LENGTHS))


def _great_length_of_the_id(rng: random.Random, message: Message) -> Message:
    return _with(message, slice(_BODY, _BODY + 1), rng.choice(_GREAT_LENGTHS))


def _many_blocks(rng: random.Random, message: Message) -> Message:
    """Arrays of Avro come in blocks: one element each, none, or of a negative count and a size."""
    at = rng.randrange(_PROCEDURE_ID.stop, len(_value(message)))
    block = rng.choice((b"\x02" + bytes(4), b"\x01\x08" + bytes(4), b"\x01\xff\xff\xff\x0f"))
    return _with(message, slice(at, at + 1), block * rng.randrange(1, 500))


def _trailing_bytes(rng: random.Random, message: Message) -> Message:
    return message._replace(value=_value(message) + rng.randbytes(rng.randrange(1, 9)))


def _twice_in_one(_rng: random.Random, message: Message) -> Message:
    return message._replace(value=_value(message) * 2)


def _oversize(rng: random.Random, message: Message) -> Message:
    if rng.randrange(_OVERSIZE_EVERY):
        return _trailing_bytes(rng, message)
    room = MAX_MESSAGE_BYTES - 2000 - len(_value(message))
    return message._replace(value=_value(message) + bytes(room))


def _sent_again(_rng: random.Random, message: Message) -> Message:
    return message


MUTATIONS: dict[str, Callable[[random.Random, Message], Message]] = {
    "bit flip": _bit_flip,
    "bit flip in the body": _bit_flip_in_body,
    "many bit flips": _many_bit_flips,
    "truncation": _truncation,
    "lost head": _lost_head,
    "hole": _hole,
    "null value": _null_value,
    "empty value": _empty_value,
    "U+0000 in an id": _nul_in_text,
    "U+0000 in a text": _nul_in_later_text,
    "id that is none": _id_that_is_none,
    "id of a stranger": _id_of_a_stranger,
    "wrong key": _wrong_key,
    "wrong partition": _wrong_partition,
    "wrong headers": _wrong_headers,
    "made-up headers": _made_up_headers,
    "random bytes": _random_bytes,
    "random body": _random_body,
    "other text": _other_text,
    "unknown fingerprint": _unknown_fingerprint,
    "fingerprint of another type": _fingerprint_of_another_type,
    "registry frame": _registry_frame,
    "great length": _great_length,
    "great length of the id": _great_length_of_the_id,
    "many blocks": _many_blocks,
    "trailing bytes": _trailing_bytes,
    "twice in one": _twice_in_one,
    "oversize": _oversize,
    "sent again": _sent_again,
}
"""What can go wrong, by name."""

CERTAIN = {
    "null value": {"empty_value"},
    "empty value": {"empty_value"},
    "U+0000 in an id": {"invalid_value"},
    "id that is none": {"invalid_value"},
    "lost head": {"unknown_framing", "registry_not_configured", "truncated"},
    "other text": {"unknown_framing"},
    "unknown fingerprint": {"unknown_fingerprint"},
    "registry frame": {"registry_not_configured"},
    "great length of the id": {"truncated", "undecodable"},
    "trailing bytes": {"trailing_bytes"},
    "twice in one": {"trailing_bytes"},
    "oversize": {"trailing_bytes"},
}
"""Mutations after which nothing can be read, and the reasons that may be given."""
