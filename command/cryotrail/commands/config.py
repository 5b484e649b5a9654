"""``cryotrail config``: the settings in force, each beside where it came from."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cryotrail.console import print_json, table
from cryotrail.settings import NAMES, PREFIX, Settings


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Print every setting, its value and its origin; secrets live in files and never show."""
    parser = argparse.ArgumentParser(
        prog="cryotrail config",
        description=(
            "The settings in force. A value comes from the environment, else from a TOML file "
            f"({PREFIX}CONFIG, else ./cryotrail.toml, keys in lower case without the prefix), "
            "else from the default below the home."
        ),
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    rows = [
        {
            "setting": PREFIX + name,
            "value": _plain(getattr(settings, name.lower())),
            "from": settings.origins[name],
        }
        for name in NAMES
    ]
    if options.json:
        print_json({row["setting"]: {"value": row["value"], "from": row["from"]} for row in rows})
    else:
        table(rows, ("setting", "value", "from"))
    return 0


def _plain(value: object) -> object:
    return (
        value if value is None or isinstance(value, int | float) else _without_password(str(value))
    )


def _without_password(text: str) -> str:
    """A database URL may carry a password; nothing else of it is secret."""
    scheme, separator, rest = text.partition("://")
    credentials, at, host = rest.rpartition("@")
    if not (separator and at and ":" in credentials):
        return text
    return f"{scheme}://{credentials.split(':', 1)[0]}:***@{host}"
