"""``cryotrail dashboard``: serve the pages until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Sequence
from types import FrameType

from cryotrail.argument_types import port
from cryotrail.console import say
from cryotrail.settings import Settings
from cryotrail_dashboards.server import serve, stop, wait_until_ready

EXAMPLES = """\
examples:
  cryotrail dashboard                        the pages at http://127.0.0.1:8501
  cryotrail dashboard --port 9000            another port
  cryotrail dashboard --host 0.0.0.0 --allowed-host pages.hospital.example
                                             behind a proxy that ends TLS and asks for a login

The pages read the published marts; `cryotrail warehouse refresh` publishes them.
Procedure:  /procedure?procedure=CRYO-0001&from=0&to=60      Cohort:  /cohort
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run the command. Returns 0 when stopped by Ctrl-C or SIGTERM, 1 when the server ended."""
    options = _parser(settings).parse_args(arguments)
    # From here on SIGTERM ends as Ctrl-C does, so that no server is left behind.
    signal.signal(signal.SIGTERM, _interrupt)
    process = serve(
        settings, options.port, host=options.host, allowed_hosts=tuple(options.allowed_host)
    )
    try:
        say(f"pages at {wait_until_ready(process, options.port, host=options.host)}")
        process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        stop(process)
    return 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser(settings: Settings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail dashboard",
        description="Serve the pages (Home, Procedure, Cohort) over the published marts.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port",
        type=port,
        default=settings.dashboard_port,
        help="port to listen on (default: %(default)s)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, this machine alone)",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name under which browsers may reach the pages; may be repeated",
    )
    return parser
