"""``cryotrail audit confirm-clock``: an operator's word that this machine's clock is right."""

from __future__ import annotations

import argparse

from cryotrail.argument_types import one_line
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import time_text
from cryotrail.console import print_json
from cryotrail.settings import Settings
from cryotrail_audit.clock_confirmation import confirm_clock

_DESCRIPTION = """\
State in the log that the clock of this machine is right.

Entries are stamped by it and stamps never decrease, so one wrong stamp of the year 2099 would stay
for good. When the clock was set by more than five minutes, is behind the last entry or differs from
the database server's, nothing is appended: the recorder waits and says so. Look at the machine's time
service first; a clock that is set right again needs no confirmation, but where an entry was stamped
by the wrong one. Recorders that wait go on by themselves within half a minute.

Run it on the machine whose clock is in doubt.
"""


def add_to(actions: Actions) -> None:
    """Add the parser of its action."""
    parser = actions.add_parser(
        "confirm-clock",
        help="say that this machine's clock is right, after it was set",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--reason", type=one_line, help="why it was set; it stays in the log")
    parser.add_argument("--decided-by", type=one_line, metavar="NAME", help="staff id")
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Append the entry; returns 0."""
    confirmed = confirm_clock(settings.audit_url, chosen.reason, chosen.decided_by)
    if chosen.json:
        print_json({"seq": confirmed.place, "clock": time_text(confirmed.clock_us)})
    else:
        print(f"the clock is confirmed: {time_text(confirmed.clock_us)} (entry {confirmed.place})")
    return 0
