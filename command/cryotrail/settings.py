"""Settings of one process: read once at the entry, frozen, and passed down.

A value comes from the environment (``CRYOTRAIL_<NAME>``), else from a TOML file, else from the
embedded default below the home. ``cryotrail config`` prints each value beside its origin.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryotrail.given_settings import PREFIX, GivenSettings, SettingsError

__all__ = ["NAMES", "PREFIX", "Settings", "SettingsError", "load_settings"]

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
    "OUTBOX_LIMIT_MIB",
    "OUTBOX_LIMIT_DAYS",
    "OUTBOX_TELEMETRY_LIMIT_MIB",
    "OUTBOX_TELEMETRY_LIMIT_DAYS",
    "OUTBOX_SHEDDABLE",
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
    "RECORDER_INSTANCE",
    "RECORDER_BREAKER_RECORDS",
    "RECORDER_BREAKER_SHARE",
    "RECORDER_BREAKER_WINDOW_S",
    "RECORDER_STUCK_AFTER_S",
    "RECORDER_STOP_WITHIN_S",
    "RECORDER_HTTP",
    "OUTBOX_HTTP",
    "SIGNER_HTTP",
    "MATERIALISER_HTTP",
    "LOG_FORMAT",
    "LOG_LEVEL",
)
"""Every setting, without its prefix. A key of the TOML file is the same name in lower case."""


LOG_FORMATS = ("text", "json")
LOG_LEVELS = ("WARNING", "DEBUG", "INFO", "ERROR", "CRITICAL")

OTHER_NAMES = ("CONFIG", "CHROMIUM")
"""Variables with the prefix that are no settings: the TOML file, and the browser of the tests."""


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
    outbox_limit_mib: float
    """How much may wait of the clinical events; beyond it they are refused. 0 = no bound."""
    outbox_limit_days: float
    """How long the oldest clinical event may wait; from then on events are refused. 0 = no bound."""
    outbox_telemetry_limit_mib: float
    """How much may wait of the telemetry; beyond it it is shed or refused. 0 = no bound."""
    outbox_telemetry_limit_days: float
    """How long the oldest telemetry may wait; from then on it is shed or refused. 0 = no bound."""
    outbox_sheddable: tuple[str, ...]
    """Channels of telemetry, separated by commas, that may be shed for want of room."""
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
    recorder_instance: str | None
    """A name of this recorder's own among those of its group, so that a restart within ten seconds
    hands no partition to another (static membership); None = each start is a new member."""
    recorder_breaker_records: int
    """A partition is held up, before they are recorded, when more records than this, and more than
    the share, name a schema that is not known within the window."""
    recorder_breaker_share: float
    """See ``RECORDER_BREAKER_RECORDS``: from 0 to below 1."""
    recorder_breaker_window_s: float
    """See ``RECORDER_BREAKER_RECORDS``."""
    recorder_stuck_after_s: float
    """How long a partition with records to give may stand still before Kafka is connected anew;
    0 = for ever."""
    recorder_stop_within_s: float
    """How long the transaction in hand may take after SIGTERM; then it is rolled back."""
    recorder_http: str | None
    """Where the recorder answers for its health and metrics, ``HOST:PORT``; None = nowhere."""
    outbox_http: str | None
    """The same of ``outbox send --follow``."""
    signer_http: str | None
    """The same of ``audit sign``."""
    materialiser_http: str | None
    """The same of ``warehouse refresh --follow``."""
    log_format: str
    """``text`` or ``json``: how a log record is written to standard error."""
    log_level: str
    """The least of ``DEBUG``, ``INFO``, ``WARNING``, ``ERROR`` and ``CRITICAL`` that is written."""
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
    given = GivenSettings.gather(environment, NAMES, OTHER_NAMES)
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
        outbox_limit_mib=given.amount("OUTBOX_LIMIT_MIB", 1024.0, "MiB"),
        outbox_limit_days=given.amount("OUTBOX_LIMIT_DAYS", 30.0, "days"),
        outbox_telemetry_limit_mib=given.amount("OUTBOX_TELEMETRY_LIMIT_MIB", 1024.0, "MiB"),
        outbox_telemetry_limit_days=given.amount("OUTBOX_TELEMETRY_LIMIT_DAYS", 30.0, "days"),
        outbox_sheddable=given.channels("OUTBOX_SHEDDABLE"),
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
        recorder_instance=given.optional("RECORDER_INSTANCE"),
        recorder_breaker_records=given.count("RECORDER_BREAKER_RECORDS", 20),
        recorder_breaker_share=given.share("RECORDER_BREAKER_SHARE", 0.5),
        recorder_breaker_window_s=given.seconds("RECORDER_BREAKER_WINDOW_S", 300.0),
        recorder_stuck_after_s=given.seconds("RECORDER_STUCK_AFTER_S", 30.0),
        recorder_stop_within_s=given.seconds("RECORDER_STOP_WITHIN_S", 20.0),
        recorder_http=given.address("RECORDER_HTTP"),
        outbox_http=given.address("OUTBOX_HTTP"),
        signer_http=given.address("SIGNER_HTTP"),
        materialiser_http=given.address("MATERIALISER_HTTP"),
        log_format=given.one_of("LOG_FORMAT", LOG_FORMATS),
        log_level=given.one_of("LOG_LEVEL", LOG_LEVELS),
        origins=given.origins,
    )
