"""A schema registry with Confluent's HTTP interface, for those who write and those who read.

https://docs.confluent.io/platform/current/schema-registry/develop/api.html; of it only what
exchanges Avro schemas for their ids.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from cryotrail_producers.errors import (
    RegistryAddressRefused,
    RegistryUnavailable,
    SchemaNotTaken,
)
from cryotrail_schemas.catalog import EventType
from cryotrail_schemas.delivery import TYPE_PREFIX

_TIMEOUT_S: Final = 5.0
_MOST_BYTES: Final = 4 * 1024 * 1024
_GREATEST_ID: Final = (1 << 31) - 1
_MEDIA_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_SCHEMA_NOT_FOUND: Final = 40403
"""Unlike a bare 404, which a wrong path has too, this says that there is no such schema."""
_NOT_NOW: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class _Answer(NamedTuple):
    """What the registry said."""

    status: int
    content: dict[str, Any]

    def reason(self) -> str:
        """The registry's own words for a status that is no success."""
        return f"HTTP {self.status}: {self.content.get('message', 'no reason given')}"


def subject_of(event_type: EventType) -> str:
    """The subject of a type: its full record name, so that it is one subject on every topic.

    This is what Confluent's serialisers call RecordNameStrategy.
    """
    return TYPE_PREFIX + event_type.name


class SchemaRegistry:
    """The schemas of one registry. It keeps nothing: whoever asks often remembers the answer."""

    def __init__(self, url: str) -> None:
        """``url`` is ``http://`` or ``https://``, with a path where the interface has one.

        :raises RegistryAddressRefused: anything else, also an address with credentials.
        """
        if not _is_address(url):
            without_credentials = url.rpartition("@")[2]
            raise RegistryAddressRefused(
                f"no address of a schema registry: {without_credentials!r}",
                hint="such as http://registry.hospital.example:8081, without user and password",
            )
        self.url = url.rstrip("/")

    def register(self, event_type: EventType) -> int:
        """Register a schema under its subject and return its id; one that is known keeps its id.

        :raises SchemaNotTaken: the registry refuses it, such as for its compatibility.
        :raises RegistryUnavailable: no answer, or one from which nothing can be concluded.
        """
        return self._number("id", event_type, "/versions")

    def version(self, event_type: EventType) -> int:
        """The number that a registered schema has among the versions of its subject.

        :raises SchemaNotTaken: it is not registered there.
        :raises RegistryUnavailable: as for :meth:`register`.
        """
        return self._number("version", event_type, "")

    def text(self, schema_id: int) -> str | None:
        """The schema's text as the registry keeps it; None = no such id.

        :raises RegistryUnavailable: as for :meth:`register`. A refusal counts as one too: it says
            nothing of the schema.
        """
        answer = self._ask(f"/schemas/ids/{schema_id}")
        if answer.content.get("error_code") == _SCHEMA_NOT_FOUND:
            return None
        text = answer.content.get("schema")
        if answer.status != HTTPStatus.OK or not isinstance(text, str):
            raise self._unavailable(answer.reason())
        return text

    def _number(self, key: str, event_type: EventType, path: str) -> int:
        """A number that the registry answers to the text of a schema."""
        subject = subject_of(event_type)
        body = json.dumps({"schema": event_type.text, "schemaType": "AVRO"}).encode()
        answer = self._ask(f"/subjects/{quote(subject, safe='')}{path}", body)
        if 400 <= answer.status < 500 and answer.status not in _NOT_NOW:
            raise SchemaNotTaken(
                f"the schema registry at {self.url} does not take {subject}: {answer.reason()}",
                hint="compare the versions of this subject there with `cryotrail schemas show`",
            )
        number = answer.content.get(key)
        if answer.status != HTTPStatus.OK or type(number) is not int:
            raise self._unavailable(answer.reason())
        if not 0 <= number <= _GREATEST_ID:
            raise self._unavailable(f"{key} {number} is no number of 31 bits")
        return number

    def _ask(self, path: str, body: bytes | None = None) -> _Answer:
        """The answer to a GET, or with ``body`` to a POST, whatever its status."""
        headers = {"Accept": _MEDIA_TYPE}
        if body is not None:
            headers["Content-Type"] = _MEDIA_TYPE
        try:
            status, content = _exchange(Request(self.url + path, body, headers))
        except (OSError, HTTPException) as error:
            raise self._unavailable(str(error) or type(error).__name__) from error
        if len(content) > _MOST_BYTES:
            raise self._unavailable(f"more than {_MOST_BYTES} bytes")
        try:
            parsed = json.loads(content)
        except ValueError:
            parsed = None
        # A proxy's error page has a status too, but it is not the registry that speaks.
        if not isinstance(parsed, dict) or (status != HTTPStatus.OK and "error_code" not in parsed):
            raise self._unavailable(f"HTTP {status}, not in the words of a schema registry")
        return _Answer(status, parsed)

    def _unavailable(self, reason: str) -> RegistryUnavailable:
        return RegistryUnavailable(
            f"the schema registry at {self.url} does not answer: {reason}",
            hint="is it up, and is CRYOTRAIL_SCHEMA_REGISTRY_URL its address?",
        )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises for a port that is no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def _exchange(request: Request) -> tuple[int, bytes]:
    """Status and content of the answer; of too long a one, a byte more than is allowed."""
    try:
        with urlopen(request, timeout=_TIMEOUT_S) as response:
            return response.status, response.read(_MOST_BYTES + 1)
    except HTTPError as error:
        with error:
            return error.code, error.read(_MOST_BYTES + 1)
