"""Made-up procedures with telemetry, for trying things out and for load. Named as SYNTHETIC.

:func:`simulate` yields seeded events from the same minute plan and tip curves as the replay, with
what a site would record beyond it: lab values, doses, an edge thermosensor in half of the
procedures, now and then a bleeding tract or a graded complication. :func:`paced` makes them take
as long as they would. What is made up is plausible at most; nothing may be concluded from it.
"""

from __future__ import annotations

from cryotrail_producers.simulate.pacing import paced
from cryotrail_producers.simulate.stream import FIRST_DAY, simulate, source_of

__all__ = ["FIRST_DAY", "paced", "simulate", "source_of"]
