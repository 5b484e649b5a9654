"""How a Kafka cluster is reached: addresses, transport security and credentials of one process.

Nothing is opened here but the files that are named; the clients are built in
:mod:`cryotrail_producers.kafka_clients`.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryotrail_producers.errors import KafkaSettingsRefused

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where a cluster is and how this process proves who it is.

    Contradictions are refused when the object is made, since the worst of them fail silently: a
    CA file beside ``PLAINTEXT`` would send clinical data in the clear.

    :raises KafkaSettingsRefused: naming the setting at fault.
    """

    bootstrap: str
    """``host:port``, several joined by commas; an IPv6 address stands in brackets."""
    security_protocol: str = "PLAINTEXT"
    """One of :data:`PROTOCOLS`."""
    sasl_mechanism: str | None = None
    """One of :data:`SASL_MECHANISMS`, only with a ``SASL_`` protocol."""
    username: str | None = None
    password_file: Path | None = None
    """The password is the file's text without surrounding white space; read at each connection."""
    ca_file: Path | None = None
    """PEM; None = the certificate authorities that the system trusts."""
    cert_file: Path | None = None
    """PEM certificate of this client, for mutual TLS."""
    key_file: Path | None = None
    """PEM key of ``cert_file``; None = the key lies in ``cert_file`` too."""

    def __post_init__(self) -> None:
        if not self.addresses():
            raise KafkaSettingsRefused("the Kafka bootstrap address is empty")
        if self.security_protocol not in PROTOCOLS:
            raise KafkaSettingsRefused(
                f"unknown Kafka security protocol {self.security_protocol!r}",
                hint=f"one of {', '.join(PROTOCOLS)}",
            )
        self._check_sasl()
        self._check_tls()

    @property
    def uses_tls(self) -> bool:
        """Whether the transport is encrypted."""
        return self.security_protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        """Whether the client logs in with a name and a password."""
        return self.security_protocol.startswith("SASL_")

    def addresses(self) -> list[tuple[str, int]]:
        """The bootstrap addresses as (host, port).

        :raises KafkaSettingsRefused: an address without a port, or a port that is no number.
        """
        parts = [part.strip() for part in self.bootstrap.split(",") if part.strip()]
        return [_host_and_port(part) for part in parts]

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS >= 1.2 with the host name checked, or None for a protocol without TLS.

        :raises KafkaSettingsRefused: a certificate or key file that cannot be read or used.
        """
        if not self.uses_tls:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        named = self.ca_file
        try:
            if self.ca_file is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(self.ca_file)
            if self.cert_file is not None:
                named = self.cert_file
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:  # ssl.SSLError is one too
            raise KafkaSettingsRefused(
                f"cannot use the TLS file {named}: {error.strerror or error}",
                hint="it must be a readable PEM file; a client certificate needs its own key",
            ) from error
        return context

    def password(self) -> str:
        """The password, from its file.

        :raises KafkaSettingsRefused: the file cannot be read or is empty.
        """
        if self.password_file is None:
            raise KafkaSettingsRefused(f"{self.security_protocol} has no password file")
        try:
            password = self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KafkaSettingsRefused(
                f"cannot read the Kafka password file {self.password_file}: {error}",
                hint="a text file that this user may read, mode 0400",
            ) from error
        if not password:
            raise KafkaSettingsRefused(f"the Kafka password file {self.password_file} is empty")
        return password

    def client_options(self) -> dict[str, Any]:
        """The same as keyword arguments of kafka-python's clients."""
        options: dict[str, Any] = {
            "bootstrap_servers": [_joined(host, port) for host, port in self.addresses()],
            "security_protocol": self.security_protocol,
        }
        if self.uses_tls:
            options["ssl_context"] = self.ssl_context()
        if self.uses_sasl:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password()
        return options

    def _check_sasl(self) -> None:
        given = {
            "sasl_mechanism": self.sasl_mechanism,
            "username": self.username,
            "password_file": self.password_file,
        }
        if not self.uses_sasl:
            _refuse_beside(self.security_protocol, given, "SASL_SSL")
            return
        missing = [name for name, value in given.items() if not value]
        if missing:
            raise KafkaSettingsRefused(
                f"{self.security_protocol} also needs {', '.join(missing)}",
            )
        if self.sasl_mechanism not in SASL_MECHANISMS:
            raise KafkaSettingsRefused(
                f"unknown SASL mechanism {self.sasl_mechanism!r}",
                hint=f"one of {', '.join(SASL_MECHANISMS)}",
            )

    def _check_tls(self) -> None:
        given = {"ca_file": self.ca_file, "cert_file": self.cert_file, "key_file": self.key_file}
        if not self.uses_tls:
            _refuse_beside(self.security_protocol, given, "SSL")
        elif self.key_file is not None and self.cert_file is None:
            raise KafkaSettingsRefused(f"key_file {self.key_file} is given without cert_file")


def _refuse_beside(protocol: str, given: dict[str, Any], meant: str) -> None:
    stray = [name for name, value in given.items() if value is not None]
    if stray:
        raise KafkaSettingsRefused(
            f"{', '.join(stray)} would have no effect with security protocol {protocol}",
            hint=f"set the security protocol to {meant}, or leave them out",
        )


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise KafkaSettingsRefused(f"{address!r} is no Kafka address", hint="write it as host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
