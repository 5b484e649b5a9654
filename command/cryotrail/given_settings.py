"""The values that somebody set, as text: from the environment, else from a TOML file.

Each is read as what it is to be by a method; one that is none is refused with its name and origin.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryotrail.observability.address import Address
from cryotrail.observability.errors import EndpointsRefused
from cryotrail_schemas.errors import CryotrailError

_log = logging.getLogger(__name__)

PREFIX = "CRYOTRAIL_"


class SettingsError(CryotrailError):
    """A setting is unknown or cannot be read; the message names it and where it came from."""


@dataclass(frozen=True, slots=True)
class GivenSettings:
    """The values that somebody set, as text, and where; the environment wins over the file."""

    values: Mapping[str, str]
    origins: Mapping[str, str]

    @classmethod
    def gather(
        cls, environment: Mapping[str, str], names: Sequence[str], other_names: Sequence[str]
    ) -> GivenSettings:
        """Read them.

        :param names: of all settings, without the prefix.
        :param other_names: of variables that have the prefix and are no settings.
        :raises SettingsError: an unknown name in the file, or a file that cannot be read.
        """
        values: dict[str, str] = {}
        origins = dict.fromkeys(names, "default")
        file = environment.get(f"{PREFIX}CONFIG")
        toml = Path(file) if file else Path("cryotrail.toml")
        if file or toml.is_file():
            for key, value in _read_toml(toml).items():
                name = key.upper()
                if name not in names:
                    known = ", ".join(name.lower() for name in names)
                    raise SettingsError(f"{toml}: unknown setting {key!r}", hint=f"known: {known}")
                values[name], origins[name] = str(value), str(toml)
        for variable in environment:
            name = variable.removeprefix(PREFIX)
            if name != variable and name not in (*names, *other_names):
                close = get_close_matches(name, names, n=1)
                hint = f"; did you mean {PREFIX}{close[0]}?" if close else ""
                _log.warning("%s is no setting and was ignored%s", variable, hint)
        for name in names:
            if environment.get(PREFIX + name):
                values[name], origins[name] = environment[PREFIX + name], "environment"
        return cls(values, origins)

    def optional(self, name: str) -> str | None:
        return self.values.get(name)

    def text(self, name: str, default: str) -> str:
        return self.values.get(name, default)

    def path(self, name: str) -> Path | None:
        return Path(self.values[name]).expanduser() if name in self.values else None

    def address(self, name: str) -> str | None:
        """Where to listen, ``HOST:PORT`` or ``PORT``, as it was given."""
        value = self.values.get(name)
        if value is not None:
            try:
                Address.parse(value)
            except EndpointsRefused:
                raise self._wrong(name, "HOST:PORT, or PORT on the loopback") from None
        return value

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        """The value, which is one of ``choices``; the first where nobody set it."""
        value = self.values.get(name, choices[0])
        if value not in choices:
            raise self._wrong(name, f"one of {', '.join(choices)}")
        return value

    def whole_number(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not value.isdecimal():
            raise self._wrong(name, "a whole number")
        return int(value)

    def count(self, name: str, default: int) -> int:
        value = self.whole_number(name)
        return default if value is None else value

    def share(self, name: str, default: float) -> float:
        try:
            value = float(self.values.get(name, default))
        except ValueError:
            raise self._wrong(name, "a share such as 0.5") from None
        if not 0 <= value < 1:
            raise self._wrong(name, "a share, from 0 to below 1")
        return value

    def seconds(self, name: str, default: float) -> float:
        return self.amount(name, default, "seconds")

    def amount(self, name: str, default: float, unit: str) -> float:
        try:
            value = float(self.values.get(name, default))
        except ValueError:
            raise self._wrong(name, f"a number of {unit}") from None
        if not 0 <= value < float("inf"):
            raise self._wrong(name, f"a number of {unit}, zero or more")
        return value

    def channels(self, name: str) -> tuple[str, ...]:
        """Channels of telemetry, separated by commas; none where nobody set any."""
        if name not in self.values:
            return ()
        # Only here: the event classes take longer to load than many a command runs.
        from cryotrail_schemas.events import Channel

        known = [str(channel) for channel in Channel if channel is not Channel.UNKNOWN]
        chosen = tuple(part.strip() for part in self.values[name].split(","))
        if not set(chosen) <= set(known):
            raise self._wrong(name, f"some of {', '.join(known)}, separated by commas")
        return chosen

    def zone(self, name: str, default: str) -> str:
        value = self.values.get(name, default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise self._wrong(name, "an IANA time zone such as Asia/Tokyo") from None
        return value

    def _wrong(self, name: str, wanted: str) -> SettingsError:
        return SettingsError(
            f"{PREFIX}{name} must be {wanted}, not {self.values[name]!r} "
            f"(from {self.origins[name]})"
        )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
