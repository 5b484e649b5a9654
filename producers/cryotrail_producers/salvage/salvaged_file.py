"""The new file that takes a damaged one's place: what was salvaged, waiting to be sent again.

Salvaged events keep their ids, bodies and delivery numbers, since a seal may already name the
producer that numbered them; what comes later is numbered under a new producer. Those that Kafka had
acknowledged wait too: which of them the log still needs nobody knows any more, and an event counts
once.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection

from cryotrail_producers.outbox_file.budget import ROW_BYTES
from cryotrail_producers.outbox_file.delivery_numbers import mint_producer
from cryotrail_producers.outbox_file.layout import bring_up_to_date, connect, transaction
from cryotrail_producers.outbox_file.row_checksum import WRITTEN_COLUMNS, row_checksum
from cryotrail_producers.salvage.loss_accounting import Loss, count_losses
from cryotrail_producers.salvage.readable_events import Salvage, SalvagedEvent
from cryotrail_schemas.identifiers import replay_id

_SEQ_COLUMNS = slice(
    WRITTEN_COLUMNS.index("producer_no"), WRITTEN_COLUMNS.index("procedure_seq") + 1
)
_INSERT_EVENT = (
    f"INSERT INTO event (id, {', '.join(WRITTEN_COLUMNS)}, checksum)"
    f" VALUES ({', '.join('?' * (len(WRITTEN_COLUMNS) + 2))})"
)


def write_salvaged(
    path: Path, salvage: Salvage, found_us: int, noted_producer_id: str
) -> list[Loss]:
    """Make the file, synced and closed; returns what is lost, which it holds to be reported.

    :param found_us: when the damage was found.
    :param noted_producer_id: of the damaged file, where it does not tell any more.
    :raises sqlite3.Error, OSError: it cannot be written.
    """
    losses = count_losses(salvage)
    with closing(connect(path, "FULL")) as connection, transaction(connection):
        bring_up_to_date(connection, path, alone=True)
        _write_numbers(connection, salvage)
        _write_events(connection, salvage)
        _write_what_seals_need(connection, salvage)
        _write_losses(connection, salvage, losses, found_us, noted_producer_id)
    return losses


def _write_numbers(connection: Connection, salvage: Salvage) -> None:
    last: Counter[int] = Counter()
    numbers = Counter(salvage.numbers)
    for event in salvage.events.values():
        number, producer_seq, procedure_seq = event.columns[_SEQ_COLUMNS]
        key = (number, event.column("procedure_id"), event.column("topic"))
        last[number] = max(last[number], producer_seq)
        numbers[key] = max(numbers[key], procedure_seq)
    connection.executemany(
        "INSERT INTO producer VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (number, producer_id, max(last_seq, last[number]), minted_us)
            for number, (producer_id, last_seq, minted_us) in salvage.producers.items()
        ],
    )
    connection.executemany(
        "INSERT INTO procedure_number VALUES (?, ?, ?, ?)",
        [(*key, last_seq) for key, last_seq in numbers.items() if key[0] in salvage.producers],
    )
    mint_producer(connection)


def _write_events(connection: Connection, salvage: Salvage) -> None:
    (new_producer_no,) = connection.execute("SELECT max(producer_no) FROM producer").fetchone()
    given: Counter[tuple[bytes, str]] = Counter()
    rows = []
    for id_, event in sorted(salvage.events.items()):
        columns = event.columns
        if event.column("producer_no") not in salvage.producers:
            columns = _numbered_anew(event, new_producer_no, given)
        rows.append((id_, *columns, row_checksum(columns)))
    connection.executemany(_INSERT_EVENT, rows)
    connection.execute(
        "UPDATE producer SET last_seq = ? WHERE producer_no = ?", (given.total(), new_producer_no)
    )
    connection.executemany(
        "INSERT INTO procedure_number VALUES (?, ?, ?, ?)",
        [(new_producer_no, *key, last_seq) for key, last_seq in given.items()],
    )
    # Ids go on where they ended, so that nobody who waits for one takes another event for it.
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'event'")
    connection.execute("INSERT INTO sqlite_sequence VALUES ('event', ?)", (salvage.last_id,))
    connection.execute(
        "UPDATE outbox SET synced_id = ?, (waiting_rows, waiting_bytes) ="
        " (SELECT count(*), coalesce(sum(length(value)), 0) + ? * count(*) FROM event)",
        (salvage.last_id, ROW_BYTES),
    )


def _numbered_anew(
    event: SalvagedEvent, producer_no: int, given: Counter[tuple[bytes, str]]
) -> tuple[object, ...]:
    """Under a producer whose id nobody knows any more an event cannot be sent."""
    key = (event.column("procedure_id"), event.column("topic"))
    given[key] += 1
    numbers = (producer_no, given.total(), given[key])
    return (
        *event.columns[: _SEQ_COLUMNS.start],
        *numbers,
        *event.columns[_SEQ_COLUMNS.stop :],
    )


def _write_what_seals_need(connection: Connection, salvage: Salvage) -> None:
    (last_producer_no,) = connection.execute("SELECT max(producer_no) FROM producer").fetchone()
    connection.executemany(
        "INSERT INTO sealed VALUES (?, ?, ?)",
        [
            (procedure, seal_id, min(through, last_producer_no - 1))
            for procedure, (seal_id, through) in salvage.sealed.items()
        ],
    )
    open_contents = [
        (procedure, id_, *content)
        for (procedure, id_), content in salvage.contents.items()
        if salvage.sealed.get(procedure, (None, 0))[0] is None and id_ not in salvage.events
    ]
    connection.executemany("INSERT INTO content VALUES (?, ?, ?, ?)", open_contents)
    kept = {procedure for procedure, *_ in open_contents}
    connection.executemany(
        "INSERT INTO subject VALUES (?, ?, ?)",
        [(key, *said) for key, said in salvage.subjects.items() if key in kept],
    )
    for table, rows in (("gap", salvage.gaps), ("loss", salvage.losses)):
        # What a damaged page made of a row that was null or a word must not stop the others.
        for row in rows.values():
            connection.execute(
                f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(row))})", row
            )


def _write_losses(
    connection: Connection,
    salvage: Salvage,
    losses: list[Loss],
    found_us: int,
    noted_producer_id: str,
) -> None:
    lost = salvage.producers.get(max(salvage.producers, default=0))
    lost_producer_id = lost[0] if lost else noted_producer_id or "unknown"
    for procedure_id, salvaged_count, lost_count in losses:
        key = (lost_producer_id, str(found_us), (procedure_id or b"").hex())
        subject_id, data_origin = salvage.subjects.get(procedure_id or b"", (None, None))
        connection.execute(
            "INSERT INTO loss VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                replay_id("outbox-loss", *key).bytes,
                lost_producer_id,
                found_us,
                procedure_id,
                subject_id,
                data_origin,
                salvaged_count,
                lost_count,
            ),
        )
