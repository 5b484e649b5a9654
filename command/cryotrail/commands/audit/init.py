"""``cryotrail audit init``: create the store, or upgrade it; give it its roles on PostgreSQL."""

from __future__ import annotations

import argparse

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, say, table
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.roles.applied import Applied, apply_roles, planned_roles
from cryotrail_audit.roles.names import DEFAULT_PREFIX
from cryotrail_audit.store import migrate

EPILOG = """\
on PostgreSQL:
  cryotrail audit init --roles --dry-run       the SQL, to be read
  cryotrail audit init --roles                 as a superuser: owner, writer, reader, signer

The roles own no password and do not log in: a user of yours becomes one of them when it connects.
The command prints how. Give the store a database of its own: in it, only the writer may take
advisory locks, and no DDL touches the schema audit. An upgrade of a store that has its roles
takes a superuser again.
"""

_LOGINS = """\
No password was made. A user of yours becomes one of these roles when it connects:

  create role recorder login noinherit password '...' in role {names.writer};
  alter role recorder set role = '{names.writer}';

and the same for {names.reader} and {names.signer}.
Membership alone does not do for the writer: bypassing row-level security, without which COPY
does not work, is not inherited."""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "init",
        help="create the store, or upgrade it; may be repeated",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--origin",
        metavar="NAME",
        help="the log's name for all time, such as hospital.example/cryoablation",
    )
    parser.add_argument(
        "--roles", action="store_true", help="PostgreSQL: make the roles and lock the store up"
    )
    parser.add_argument(
        "--role-prefix",
        metavar="PREFIX",
        default=DEFAULT_PREFIX,
        help=f"of the roles' names, for a server with several stores ({DEFAULT_PREFIX})",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="with --roles: print the SQL and change nothing"
    )
    add_json(parser)
    parser.set_defaults(run=run, usage_error=parser.error)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Create or upgrade the store, and give it its roles; returns 0.

    :raises AuditError: the store exists and has another name, or see ``apply_roles``.
    """
    url = settings.audit_url
    if chosen.dry_run:
        if not chosen.roles:
            chosen.usage_error("--dry-run prints what --roles would run: give both")
        print(planned_roles(url, chosen.role_prefix), end="")
        return 0
    name = migrate(url, origin=chosen.origin)
    if chosen.origin is not None and name != chosen.origin:
        raise AuditError(
            f"the store exists already, and its log is named {name}",
            hint="a log keeps its name for all time",
        )
    applied = apply_roles(url, chosen.role_prefix) if chosen.roles else None
    if chosen.json:
        print_json({"origin": name} | ({} if applied is None else _as_json(applied)))
        return 0
    print(f"the audit store is ready; its log is named {name}")
    if applied is not None:
        _report(applied)
    return 0


def _as_json(applied: Applied) -> dict[str, object]:
    return {
        "roles": [role._asdict() for role in applied.roles],
        "grants": [grant._asdict() for grant in applied.grants],
        "event_triggers": applied.event_triggers,
    }


def _report(applied: Applied) -> None:
    print()
    table(
        [role._asdict() | {"members": ", ".join(role.members) or None} for role in applied.roles],
        ["name", "created", "can_login", "bypasses_row_security", "members"],
    )
    print()
    rows: dict[str, dict[str, str]] = {}
    for role, relation, privileges in applied.grants:
        rows.setdefault(relation, {"table": relation})[role] = ", ".join(privileges).lower()
    table([rows[relation] for relation in sorted(rows)], ["table", *applied.names[1:]])
    print()
    print(
        "No role may update, delete or truncate. DDL on the schema audit is refused"
        f" ({', '.join(applied.event_triggers)})."
    )
    members = [
        m for role in applied.roles if role.name == applied.names.owner for m in role.members
    ]
    if members:
        say(f"{', '.join(members)} may become the owner: nobody needs to")
    say(_LOGINS.format(names=applied.names))
