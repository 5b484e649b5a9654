"""``cryotrail warehouse``: build, publish and query the marts."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryotrail.argument_types import add_as_of, add_http, say_if_to_come
from cryotrail.console import print_json, progress, say, table
from cryotrail.settings import Settings
from cryotrail.signalled_stop import signalled_stop
from cryotrail_warehouse.publication import published_path
from cryotrail_warehouse.query import QueryResult, query

if TYPE_CHECKING:
    from cryotrail_warehouse.refresh import RefreshOutcome

_DESCRIPTION = """\
The marts: DuckDB tables of procedures, cycles, margins, complications and cohort figures, built
from the audit store. Every refresh publishes a new read-only file behind one stable path; whoever
is reading keeps the snapshot that they opened.
"""

_EXAMPLES = """\
examples:
  cryotrail warehouse refresh                    what is new in the store, once
  cryotrail warehouse refresh --follow           again and again, until Ctrl-C
  cryotrail warehouse rebuild                    from the first entry on
  cryotrail warehouse rebuild --as-of 2026-11-22T10:24:00Z --output then/known.duckdb
  cryotrail warehouse sql "from clinic.procedures" --file then/known.duckdb
  cryotrail warehouse sql "from clinic.procedures"
  cryotrail warehouse sql "select * from cohort_survival" --json
  duckdb -readonly "$(cryotrail warehouse path)"

Tables and columns are explained in the file itself:
  cryotrail warehouse sql "select table_name, comment from duckdb_tables()"
  cryotrail warehouse sql "select column_name, data_type, comment from duckdb_columns()
                           where table_name = 'fct_procedure'"
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run one action on the warehouse. Returns 0; what is refused is raised.

    What opens the audit store is imported where it is used: a query and a path need none of it.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.action == "rebuild":
        _check_rebuild(parser, options)
    if options.action == "refresh" and options.http is not None and not options.follow:
        parser.error("--http goes with --follow: one refresh ends before anybody could ask it")
    if options.action == "path":
        print(published_path(settings.warehouse_dir))
    elif options.action == "sql":
        _show(query(settings.warehouse_dir, options.query, options.file), options)
    elif options.action == "refresh" and options.follow:
        _follow(options, settings)
    elif options.action == "rebuild" and options.output is not None:
        _build_as_of(options, settings)
    else:
        _bring_up_to_date(options, settings)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail warehouse",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    refreshing = actions.add_parser(
        "refresh",
        help="read what is new in the store, refresh the procedures it touches, publish",
        epilog="Without news nothing is published. Only one process at a time may do this.",
    )
    refreshing.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    refreshing.add_argument(
        "--every-s",
        type=_seconds,
        default=1.0,
        metavar="S",
        help="with --follow: look for news this often (default 1); longer after slow publications",
    )
    rebuilding = actions.add_parser(
        "rebuild",
        help="forget the working files and read the whole log again",
        epilog="The result equals that of refreshing all along. Readers keep the last publication."
        " With --as-of or --as-of-seq what was known then is built into a file of its own, and"
        " nothing else is touched.",
    )
    add_as_of(rebuilding)
    rebuilding.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="with --as-of or --as-of-seq: a new file, in a folder of its own for its samples",
    )
    add_http(refreshing, "MATERIALISER_HTTP")
    for action in (refreshing, rebuilding):
        action.add_argument("--json", action="store_true", help="what was done, as JSON")
    actions.add_parser("path", help="the path of the published file, to be opened read-only")
    asking = actions.add_parser(
        "sql",
        help="one SELECT on the published file",
        epilog="samples('<file_path of fct_telemetry_file>') reads a procedure's samples.",
    )
    asking.add_argument(
        "--file", type=Path, metavar="FILE", help="a file that rebuild --as-of made, instead"
    )
    asking.add_argument("query", help="SELECT, FROM, WITH, DESCRIBE, SHOW TABLES or SUMMARIZE")
    form = asking.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="an array of row objects")
    form.add_argument("--csv", action="store_true", help="a header line and comma-separated rows")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.1 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.1 to 86400")
    return seconds


def _check_rebuild(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    earlier = options.as_of is not None or options.as_of_seq is not None
    if earlier != (options.output is not None):
        parser.error("--output goes with --as-of or --as-of-seq, and these with --output")


def _build_as_of(options: argparse.Namespace, settings: Settings) -> None:
    from cryotrail_audit.store import open_store
    from cryotrail_warehouse.as_of import build_as_of

    say_if_to_come(options.as_of)
    with (
        closing(open_store(settings.audit_url)) as store,
        progress("reading the log", None) as advance,
    ):
        outcome = build_as_of(
            store,
            options.output,
            settings.site_tz,
            recorded_us=options.as_of,
            seq=options.as_of_seq,
            advance=advance,
        )
    if options.json:
        print_json(asdict(outcome) | {"path": str(outcome.path)})
    else:
        print(
            f"{outcome.path}: what was known when the log ended with entry {outcome.last_seq}; "
            f"{outcome.procedures} procedures"
        )


def _bring_up_to_date(options: argparse.Namespace, settings: Settings) -> None:
    from cryotrail_audit.store import open_store
    from cryotrail_warehouse.refresh import rebuild, refresh

    action = rebuild if options.action == "rebuild" else refresh
    with closing(open_store(settings.audit_url)) as store:
        total = store.head().tree_size if options.action == "rebuild" else None
        with progress("reading the log", total) as advance:
            outcome = action(store, settings.warehouse_dir, settings.site_tz, advance)
    if options.json:
        print_json(_outcome_json(outcome))
    else:
        print(_sentence(outcome))


def _follow(options: argparse.Namespace, settings: Settings) -> None:
    from cryotrail_audit.store import open_store
    from cryotrail_warehouse.refresh import follow

    address = options.http or settings.materialiser_http
    with ExitStack() as stack:
        beat: Callable[[], None] = _nothing
        looked: Callable[[RefreshOutcome], None] = _nothing
        if address is not None:
            # Only here: who wants no endpoints needs no library for them.
            from cryotrail.observability.observed_materialiser import observed_materialiser

            metrics = stack.enter_context(observed_materialiser(settings.audit_url, address))
            beat, looked = metrics.heartbeat.beat, metrics.looked
        stop = stack.enter_context(signalled_stop(beat))
        store = stack.enter_context(closing(open_store(settings.audit_url)))
        for outcome in follow(
            store,
            settings.warehouse_dir,
            settings.site_tz,
            options.every_s,
            stop,
            looked,
            lambda _count: beat(),
        ):
            if options.json:
                print(json.dumps(_outcome_json(outcome)), flush=True)
            else:
                say(_sentence(outcome))


def _nothing(*_: object) -> None:
    """Nobody watches."""


def _outcome_json(outcome: RefreshOutcome) -> dict[str, Any]:
    return asdict(outcome) | {"path": str(outcome.path)}


def _sentence(outcome: RefreshOutcome) -> str:
    if not outcome.published:
        return f"no news since publication {outcome.publication_no}: {outcome.path}"
    return (
        f"publication {outcome.publication_no}: {outcome.entries} entries read, "
        f"{outcome.procedures} procedures refreshed: {outcome.path}"
    )


def _show(result: QueryResult, options: argparse.Namespace) -> None:
    if options.json:
        print_json(result.rows)
    elif options.csv:
        writer = csv.DictWriter(sys.stdout, result.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(result.rows)
    else:
        table(result.rows, result.columns)
