"""Garbage collection, tuned for a process that makes and drops many small objects in batches."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATIONS = 250_000
"""More containers than a batch of 5000 records holds at once."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for reference cycles rarely, and never among what was there before.

    The collector starts whenever 700 more containers were made than dropped, so it would pass
    over a batch that is still in use a hundred times, and find nothing: records are freed by
    their reference counts. That took a quarter of the recorder's time. A setting of the whole
    process, hence for whoever runs the recorder as its main work; undone at the end of the block.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
