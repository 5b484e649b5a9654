"""What the actions of ``cryotrail audit`` share: how one is added, and ``--json``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeAlias

from cryotrail.settings import Settings

Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What ``add_subparsers`` returns."""

Run = Callable[[argparse.Namespace, Settings], int]
"""Runs an action; returns the exit code."""


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option that every reporting action has."""
    parser.add_argument("--json", action="store_true", help="one JSON document, nothing else")
