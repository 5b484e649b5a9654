"""What an operator gives in the place of a quarantined record's bytes, and how that is marked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final, NamedTuple, Self
from uuid import UUID

from cryotrail_consumers.errors import CorrectionRefused
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode_plain, encode
from cryotrail_schemas.errors import UndecodableRecord
from cryotrail_schemas.events import Event
from cryotrail_schemas.framing import frame_single_object, parse_frame
from cryotrail_schemas.json_form import event_from_json
from cryotrail_schemas.personal import clear_pointers

CORRECTED: Final = "corrected_by_operator"
"""Mark in ``reason``: the entry's bytes are an operator's, not those from Kafka."""

_LONGEST_TEXT: Final = 500


class OperatorCorrection(NamedTuple):
    """Another value for one quarantined record, and who decided so and why."""

    value: bytes
    """As a producer would have sent it, framing included."""
    reason: str
    decided_by: str
    """A staff id. Like the reason it stays in the log for good: no patient's name."""

    @classmethod
    def of(
        cls,
        content: bytes,
        reason: str,
        decided_by: str,
        event_id: UUID,
        encrypt: Callable[[Event], Event] | None = None,
    ) -> Self:
        """A correction from a file: an event as JSON, or the bytes of a value.

        :param event_id: for an event as JSON that has none; the quarantined entry's, so that the
            same file twice is the same event.
        :param encrypt: moves personal text of an event as JSON into its header; with it, the bytes
            of a value must not hold any in clear.
        :raises CorrectionRefused: a text that says nothing or holds control characters; or bytes
            with personal text in clear, or of which that cannot be told.
        :raises EventRefused: JSON that is no event.
        """
        for name, text in (("reason", reason), ("decided_by", decided_by)):
            if not text.strip() or not text.isprintable() or len(text) > _LONGEST_TEXT:
                raise CorrectionRefused(
                    f"{name} is to be one line of at most {_LONGEST_TEXT} characters",
                    hint="it is kept in the log for good: name no patient",
                )
        return cls(_value(content, event_id, encrypt), reason.strip(), decided_by.strip())

    def marked(self, flags: str | None) -> str:
        """``reason`` of the entry: the flags that it has, then the mark."""
        mark = f"{CORRECTED}: {self.reason}; decided by {self.decided_by}"
        return mark if flags is None else f"{flags},{mark}"


def _require_no_clear_text(value: bytes) -> None:
    """Refuse bytes that would bring personal text into the log for good.

    :raises CorrectionRefused: they hold some, or are of a schema that is not known here.
    """
    hint = "give the event as JSON: its personal text is encrypted then"
    try:
        frame = parse_frame(value)
        schema = catalog().by_fingerprint(frame.fingerprint or b"")
        clear = None if schema is None else clear_pointers(decode_plain(frame.body, schema))
    except UndecodableRecord as error:
        raise CorrectionRefused(f"the corrected value is no event: {error}", hint=hint) from error
    if clear is None:
        raise CorrectionRefused(
            "personal text is encrypted here, and of bytes in this framing it cannot be told whether"
            " they hold any",
            hint=hint,
        )
    if clear:
        raise CorrectionRefused(
            f"personal text is encrypted here, and the bytes hold some in clear: {', '.join(clear)}",
            hint=hint,
        )


def _value(content: bytes, event_id: UUID, encrypt: Callable[[Event], Event] | None) -> bytes:
    # No frame begins with a brace: Avro's begin with C3, the registry's with 00.
    if not content.lstrip().startswith(b"{"):
        if encrypt is not None:
            _require_no_clear_text(content)
        return content
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CorrectionRefused(f"the corrected event is not JSON: {error}") from error
    event = event_from_json(document, event_id_default=event_id)
    if encrypt is not None:
        event = encrypt(event)
    return frame_single_object(catalog().current(event.TYPE), encode(event))
