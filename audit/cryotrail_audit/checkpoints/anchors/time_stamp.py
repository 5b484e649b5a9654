"""Time-stamp tokens (RFC 3161): an authority signs that the checkpoint existed at a time.

The token stands as ``<size>.tsr`` beside the note that it stamps, ``<size>.note``, and is checked
when it comes. Anybody checks it later with ``openssl ts -verify -in N.tsr -data N.note -CAfile``.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from cryptography import x509

from cryotrail_audit.checkpoints import durable_files
from cryotrail_audit.checkpoints.anchors.folder import write_note
from cryotrail_audit.checkpoints.anchors.kept import Kept, file_name
from cryotrail_audit.checkpoints.errors import AnchorFailed, CheckpointError

WAIT_S: Final = 20.0

LARGEST_ANSWER_BYTES: Final = 1 << 20


class TimeStampAnchor:
    """See :class:`~cryotrail_audit.checkpoints.anchors.anchor.Anchor`; needs the extra ``anchors``.

    The library that checks the token wants its certificates in the order of DER. Some authorities
    that send their CA along do not keep it, and are refused: they must leave the CA out.
    """

    def __init__(self, url: str, tokens_folder: Path, ca_file: Path | None) -> None:
        """Take the address of an authority; it is asked when there is something to stamp.

        :param ca_file: certificates (PEM) that the authority's own must lead to.
        :raises CheckpointError: the address cannot be read.
        """
        self._url, self._login = without_login(url)
        self._folder, self._ca_file = tokens_folder, ca_file

    @property
    def name(self) -> str:
        # It is printed, logged and remembered: no password, and nothing of a query, is in it.
        return f"rfc3161:{self._url.partition('?')[0]}"

    def keep(self, kept: Kept) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name, note in kept.files().items():
                write_note(self._folder / name, note)
            path = self._folder / file_name(kept.note)
            token = path.with_suffix(".tsr")
            if not token.exists():
                # What is stamped is the file that stands there, be it of an earlier attempt.
                durable_files.replace(token, self._stamped(path.read_bytes()))
        except OSError as error:
            raise AnchorFailed(f"{self.name}: {error.strerror or error}") from error

    def _stamped(self, note: bytes) -> bytes:
        try:
            from rfc3161_client import (
                HashAlgorithm,
                TimestampRequestBuilder,
                VerificationError,
                VerifierBuilder,
                decode_timestamp_response,
            )
        except ModuleNotFoundError as error:
            raise AnchorFailed(
                f"{self.name} needs rfc3161-client", hint="pip install 'cryotrail[anchors]'"
            ) from error
        builder = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.build()
        roots = self._roots()
        answer = self._ask(request.as_bytes())
        try:
            verifier = VerifierBuilder.from_request(request)
            for root in roots:
                verifier = verifier.add_root_certificate(root)
            verifier.build().verify_message(decode_timestamp_response(answer), note)
        except (VerificationError, ValueError) as error:
            raise AnchorFailed(f"{self.name}: its token does not verify: {error}") from error
        return answer

    def _roots(self) -> list[x509.Certificate]:
        if self._ca_file is None:
            raise AnchorFailed(
                f"{self.name}: no certificate is given that its token could be checked with",
                hint="set CRYOTRAIL_ANCHOR_TSA_CA_FILE to the authority's root certificate (PEM)",
            )
        try:
            return x509.load_pem_x509_certificates(self._ca_file.read_bytes())
        except ValueError as error:
            raise AnchorFailed(f"{self._ca_file} holds no certificate in PEM: {error}") from error

    def _ask(self, query: bytes) -> bytes:
        if not self._url.startswith(("http://", "https://")):
            raise AnchorFailed(f"{self.name}: the address must begin with http:// or https://")
        # RFC 3161 section 3.4. What comes back is signed, so plain http is as good as https.
        headers = {"Content-Type": "application/timestamp-query"}
        if self._login is not None:
            headers["Authorization"] = f"Basic {b64encode(self._login.encode()).decode()}"
        try:
            with urlopen(Request(self._url, query, headers), timeout=WAIT_S) as response:
                answer: bytes = response.read(LARGEST_ANSWER_BYTES)
        except URLError as error:
            raise AnchorFailed(f"{self.name} does not answer: {error.reason}") from error
        return answer


def without_login(url: str) -> tuple[str, str | None]:
    """An address without its user and password, and these as ``user:password``; None = it has none.

    :raises CheckpointError: it cannot be read. It is not quoted, since a password may be in it.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # is checked when it is read: a password cut off at a / is no number
    except ValueError:
        raise CheckpointError(
            "the address of a time-stamp authority cannot be read",
            hint="rfc3161:https://USER:PASSWORD@HOST:PORT/PATH, with / ? # as %2F %3F %23 in the"
            " user and the password",
        ) from None
    login, at, host = parts.netloc.rpartition("@")
    return (urlunsplit(parts._replace(netloc=host)), unquote(login)) if at else (url, None)
