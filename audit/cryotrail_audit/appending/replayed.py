"""What became of quarantined entries: which were replayed, and what a replay must be of.

A replay never touches the entry that it comes from. It is an entry of its own that names it in
``source_seq``, or, when what it says was known already, an administrative entry of type
``replay``: ``{"source_seq": n, "repeats_seq": m}``. Both numbers are places.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, select, text

from cryotrail_audit.appending.prepare import PreparedRecord, prepare_administrative
from cryotrail_audit.appending.resolution import Resolution
from cryotrail_audit.errors import NotReplayable
from cryotrail_audit.places import read_places
from cryotrail_audit.records import CONFLICT, QUARANTINED, Administrative, IncomingRecord, Replay
from cryotrail_audit.tables import ENTRY

REPLAY: Final = "replay"
"""Type of the administrative entry that says that a replay brought nothing new."""

# The conditions of the partial indexes, literally: see reading.
_REPLAYED, _ADMINISTRATIVE = text("source_seq is not null"), text("kind = 3")
_IN_LIST: Final = 500


def read_replays(
    connection: Connection, source_seqs: Collection[int] | None = None
) -> dict[int, Replay]:
    """What became of these quarantined entries, or of all: by their place those replayed."""
    places = read_places(connection)
    replays: dict[int, Replay] = {}
    said = (
        select(ENTRY.c.log_id, ENTRY.c.seq, ENTRY.c.raw)
        .where(_ADMINISTRATIVE, ENTRY.c.event_type == REPLAY)
        .order_by(ENTRY.c.log_id, ENTRY.c.seq)
    )
    for log_id, seq, raw in connection.execute(said):
        payload = json.loads(raw)
        source_seq, repeated = payload["source_seq"], payload["repeats_seq"]
        replays[source_seq] = Replay(
            source_seq, repeated, "redelivered", None, places.of(log_id, seq)
        )
    found = (
        select(ENTRY.c.source_seq, ENTRY.c.log_id, ENTRY.c.seq, ENTRY.c.kind, ENTRY.c.reason)
        .where(_REPLAYED)
        .order_by(ENTRY.c.log_id.desc(), ENTRY.c.seq.desc())
    )
    for source_seq, log_id, seq, kind, reason in connection.execute(found):
        place = places.of(log_id, seq)
        replays[source_seq] = Replay(
            source_seq, place, "conflict" if kind == CONFLICT else "event", reason, place
        )
    if source_seqs is None:
        return replays
    return {seq: replays[seq] for seq in source_seqs if seq in replays}


def known_replays(
    connection: Connection, records: Iterable[IncomingRecord]
) -> Mapping[int, Replay]:
    """Under the lock: of the quarantined entries that a batch replays those replayed before.

    :raises NotReplayable: see :meth:`AuditStore.append`.
    """
    by_source: dict[int, IncomingRecord] = {}
    for record in records:
        if record.source_seq is None:
            continue
        if record.source_seq in by_source:
            raise NotReplayable(f"the batch replays entry {record.source_seq} twice")
        by_source[record.source_seq] = record
    if not by_source:
        return {}
    coordinates = _quarantined(connection, list(by_source))
    for source_seq, record in by_source.items():
        at = (record.topic_id, record.part, record.incarnation, record.kafka_offset)
        if coordinates.get(source_seq) != at:
            raise NotReplayable(
                f"entry {source_seq} is not in quarantine with the coordinates of the record",
                hint="cryotrail audit quarantine list",
            )
    return read_replays(connection, by_source)


def said_of_replays(resolution: Resolution, before: Mapping[int, Replay]) -> list[PreparedRecord]:
    """What the log is to say of replays that only repeat an entry.

    :param before: see :func:`known_replays`; the same replay once more says nothing.
    :raises NotReplayable: one of these would become an entry once more, with other content.
    """
    for _kind, record, _tail in resolution.kept if before else ():
        source_seq = record.source_seq
        if source_seq is not None and source_seq in before:
            raise NotReplayable(
                f"entry {source_seq} was replayed before: see entry {before[source_seq].seq}"
            )
    return prepare_administrative(
        [
            Administrative(REPLAY, {"source_seq": record.source_seq, "repeats_seq": seq})
            for record, seq, _raw in resolution.redelivered
            if record.source_seq is not None and record.source_seq not in before
        ]
    )


def _quarantined(connection: Connection, wanted: list[int]) -> dict[int, tuple[Any, ...]]:
    """The coordinates of those of the entries that are in quarantine, by place."""
    places = read_places(connection)
    seqs: defaultdict[int, list[int]] = defaultdict(list)
    for place in wanted:
        log = places.log_at(place)
        seqs[log.log_id].append(place - log.first)
    found: dict[int, tuple[Any, ...]] = {}
    for log_id, of_log in seqs.items():
        for start in range(0, len(of_log), _IN_LIST):
            rows = connection.execute(
                select(ENTRY.c.seq, ENTRY.c.topic_id, ENTRY.c.part, ENTRY.c.incarnation)
                .add_columns(ENTRY.c.kafka_offset)
                .where(ENTRY.c.log_id == log_id, ENTRY.c.kind == QUARANTINED)
                .where(ENTRY.c.seq.in_(of_log[start : start + _IN_LIST]))
            )
            found.update((places.of(log_id, seq), tuple(at)) for seq, *at in rows)
    return found
