"""Settings of one process: read once at the entry, frozen, and passed down.

A value comes from the environment (``CRYOTRAIL_<NAME>``), else from a TOML file, else from the
embedded default below the home. ``cryotrail config`` prints each value beside its origin.
"""

from __future__ import annotations

import logging
import os
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryotrail_schemas.errors import CryotrailError

_log = logging.getLogger(__name__)

PREFIX = "CRYOTRAIL_"

NAMES = (
    "HOME",
    "KAFKA_BOOTSTRAP",
    "KAFKA_PORT",
    "JAVA_HOME",
    "CACHE_DIR",
    "SITE_TZ",
    "AUDIT_URL",
    "WAREHOUSE_DIR",
    "SCHEMA_REGISTRY_URL",
    "OUTBOX_PATH",
    "OUTBOX_GRACE_S",
    "SOURCE",
    "KAFKA_SECURITY_PROTOCOL",
    "KAFKA_SASL_MECHANISM",
    "KAFKA_USERNAME",
    "KAFKA_PASSWORD_FILE",
    "KAFKA_CA_FILE",
    "KAFKA_CERT_FILE",
    "KAFKA_KEY_FILE",
    "SIGNING_KEY_FILE",
    "PERSONAL_KEK_FILE",
    "KEYS_PATH",
    "LOG_KEY_FILE",
    "SIGNER_STATE_DIR",
    "ANCHORS",
    "ANCHOR_TSA_CA_FILE",
    "DASHBOARD_PORT",
)
"""Every setting, without its prefix. A key of the TOML file is the same name in lower case."""


OTHER_NAMES = ("CONFIG", "CHROMIUM")
"""Variables with the prefix that are no settings: the TOML file, and the browser of the tests."""


class SettingsError(CryotrailError):
    """A setting is unknown or cannot be read; the message names it and where it came from."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in force in this process."""

    home: Path
    kafka_bootstrap: str | None
    """``host:port[,host:port]`` of an external cluster; None = the embedded Kafka of this home."""
    kafka_port: int | None
    """Client port of the embedded Kafka; None = a free one."""
    java_home: Path | None
    cache_dir: Path
    """Where the jars of the embedded Kafka are kept once fetched and verified."""
    site_tz: str
    """IANA zone of the site: calendar rules and the clocks that are shown."""
    audit_url: str
    warehouse_dir: Path
    schema_registry_url: str | None
    outbox_path: Path
    """The clinical outbox; the telemetry outbox lies beside it with ``_telemetry`` in its name."""
    outbox_grace_s: float
    source: str
    kafka_security_protocol: str
    kafka_sasl_mechanism: str | None
    kafka_username: str | None
    kafka_password_file: Path | None
    kafka_ca_file: Path | None
    kafka_cert_file: Path | None
    kafka_key_file: Path | None
    signing_key_file: Path | None
    """The producer's private key for seals, corrections and what follows a seal; None = unsigned."""
    personal_kek_file: Path | None
    """The key that wraps the keys of personal text; None = personal text is not encrypted."""
    keys_path: Path
    """The store of those keys, to be backed up apart from everything else."""
    log_key_file: Path
    """The private key that signs the log's checkpoints; its public part lies beside it, ``.pub``."""
    signer_state_dir: Path
    """What the signer or witness remembers of the log that it signed, and how its anchors stand."""
    anchors: str | None
    """Places outside for signed checkpoints, separated by commas: ``file:FOLDER``, ``git:FOLDER``,
    ``rfc3161:URL``; None = no outside anchor."""
    anchor_tsa_ca_file: Path | None
    """Root certificate (PEM) of the time-stamp authority that ``ANCHORS`` names."""
    dashboard_port: int
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where each value came from: ``environment``, the TOML file's path, or ``default``."""

    @property
    def outbox_telemetry_path(self) -> Path:
        """The outbox of telemetry, which has its own file and producer id."""
        return self.outbox_path.with_name(
            f"{self.outbox_path.stem}_telemetry{self.outbox_path.suffix}"
        )

    @property
    def kafka_dir(self) -> Path:
        """Data folder of the embedded Kafka."""
        return self.home / "kafka"

    @property
    def logs_dir(self) -> Path:
        """Log files of what this home runs in the background."""
        return self.home / "logs"


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process.

    The TOML file is ``CRYOTRAIL_CONFIG``, else ``cryotrail.toml`` of the working directory when
    there is one.

    :raises SettingsError: an unknown name, an unreadable file, or a value of the wrong kind.
    """
    environment = os.environ if environment is None else environment
    given = _Given.gather(environment)
    home = Path(given.text("HOME", ".cryotrail")).expanduser().absolute()
    cache = Path(environment.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "cryotrail"
    return Settings(
        home=home,
        kafka_bootstrap=given.optional("KAFKA_BOOTSTRAP"),
        kafka_port=given.whole_number("KAFKA_PORT"),
        java_home=given.path("JAVA_HOME"),
        cache_dir=given.path("CACHE_DIR") or cache,
        site_tz=given.zone("SITE_TZ", "UTC"),
        audit_url=given.text("AUDIT_URL", f"sqlite:///{home / 'audit.sqlite3'}"),
        warehouse_dir=given.path("WAREHOUSE_DIR") or home / "warehouse",
        schema_registry_url=given.optional("SCHEMA_REGISTRY_URL"),
        outbox_path=given.path("OUTBOX_PATH") or home / "outbox.sqlite3",
        outbox_grace_s=given.seconds("OUTBOX_GRACE_S", 900.0),
        source=given.text("SOURCE", f"urn:cryotrail:{socket.gethostname()}"),
        kafka_security_protocol=given.text("KAFKA_SECURITY_PROTOCOL", "PLAINTEXT"),
        kafka_sasl_mechanism=given.optional("KAFKA_SASL_MECHANISM"),
        kafka_username=given.optional("KAFKA_USERNAME"),
        kafka_password_file=given.path("KAFKA_PASSWORD_FILE"),
        kafka_ca_file=given.path("KAFKA_CA_FILE"),
        kafka_cert_file=given.path("KAFKA_CERT_FILE"),
        kafka_key_file=given.path("KAFKA_KEY_FILE"),
        signing_key_file=given.path("SIGNING_KEY_FILE"),
        personal_kek_file=given.path("PERSONAL_KEK_FILE"),
        keys_path=given.path("KEYS_PATH") or home / "keys.sqlite3",
        log_key_file=given.path("LOG_KEY_FILE") or home / "signer" / "log.key",
        signer_state_dir=given.path("SIGNER_STATE_DIR") or home / "signer",
        anchors=given.optional("ANCHORS"),
        anchor_tsa_ca_file=given.path("ANCHOR_TSA_CA_FILE"),
        dashboard_port=given.whole_number("DASHBOARD_PORT") or 8501,
        origins=given.origins,
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """The values that somebody set, as text, and where; the environment wins over the file."""

    values: Mapping[str, str]
    origins: Mapping[str, str]

    @classmethod
    def gather(cls, environment: Mapping[str, str]) -> _Given:
        values: dict[str, str] = {}
        origins = dict.fromkeys(NAMES, "default")
        file = environment.get(f"{PREFIX}CONFIG")
        toml = Path(file) if file else Path("cryotrail.toml")
        if file or toml.is_file():
            for key, value in _read_toml(toml).items():
                name = key.upper()
                if name not in NAMES:
                    known = ", ".join(name.lower() for name in NAMES)
                    raise SettingsError(f"{toml}: unknown setting {key!r}", hint=f"known: {known}")
                values[name], origins[name] = str(value), str(toml)
        for variable in environment:
            name = variable.removeprefix(PREFIX)
            if name != variable and name not in NAMES + OTHER_NAMES:
                close = get_close_matches(name, NAMES, n=1)
                hint = f"; did you mean {PREFIX}{close[0]}?" if close else ""
                _log.warning("%s is no setting and was ignored%s", variable, hint)
        for name in NAMES:
            if environment.get(PREFIX + name):
                values[name], origins[name] = environment[PREFIX + name], "environment"
        return cls(values, origins)

    def optional(self, name: str) -> str | None:
        return self.values.get(name)

    def text(self, name: str, default: str) -> str:
        return self.values.get(name, default)

    def path(self, name: str) -> Path | None:
        return Path(self.values[name]).expanduser() if name in self.values else None

    def whole_number(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not value.isdecimal():
            raise self._wrong(name, "a whole number")
        return int(value)

    def seconds(self, name: str, default: float) -> float:
        try:
            value = float(self.values.get(name, default))
        except ValueError:
            raise self._wrong(name, "a number of seconds") from None
        if not 0 <= value < float("inf"):
            raise self._wrong(name, "a number of seconds, zero or more")
        return value

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
