"""A process of its own that appends until it is killed; run as a script with URL and first offset.

Prints the next offset after each commit.
"""

from __future__ import annotations

import sys
from contextlib import closing

from audit_records import Writer, record

from cryotrail_audit.store import open_store

BATCH_ROWS = 400


def main(url: str, first_offset: int) -> None:
    """Append batches for ever."""
    with closing(open_store(url)) as store:
        writer = Writer(store)
        offset = first_offset
        while True:
            writer.append(record(offset + row) for row in range(BATCH_ROWS))
            offset += BATCH_ROWS
            print(offset, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
