"""A cohort table as event streams: deterministic, and named as a reconstruction.

:func:`read_cohort` reads a CSV file with the columns of the shipped reference table
(:func:`reference_cohort`), :func:`events_of` yields its events in order of publication. The same
table gives the same bytes under the same event ids in every process, so replaying it is a no-op
for a store that has it. What is published, implied and reconstructed: README.md beside this file.

Nothing here publishes: the events go through a Publisher like any others, under
:func:`source_of`.
"""

from __future__ import annotations

from cryotrail_producers.replay.cohort_row import CohortRow
from cryotrail_producers.replay.cohort_table import (
    REFERENCE_FILE,
    Cohort,
    read_cohort,
    reference_cohort,
    reference_table,
)
from cryotrail_producers.replay.errors import ReplayRefused, RowProblem
from cryotrail_producers.replay.stream import (
    SITE_TZ,
    data_set_of,
    event_count,
    events_of,
    source_of,
)

__all__ = [
    "REFERENCE_FILE",
    "SITE_TZ",
    "Cohort",
    "CohortRow",
    "ReplayRefused",
    "RowProblem",
    "data_set_of",
    "event_count",
    "events_of",
    "read_cohort",
    "reference_cohort",
    "reference_table",
    "source_of",
]
