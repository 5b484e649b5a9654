"""Reading from a schema registry with Confluent's interface."""

from __future__ import annotations

import json
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from cryotrail_consumers.errors import RegistryUnavailable

_TIMEOUT_S = 5.0
_MOST_BYTES = 4 * 1024 * 1024


class SchemaRegistry:
    """The schemas of one registry, by their id.

    Nothing is kept: :class:`cryotrail_consumers.known_schemas.KnownSchemas` does.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def text(self, schema_id: int) -> str | None:
        """The schema's text as it was registered (``GET /schemas/ids/{id}``); None = no such id.

        :raises RegistryUnavailable: no answer, or one from which nothing can be concluded.
        """
        address = f"{self.url}/schemas/ids/{schema_id}"
        request = Request(address, headers={"Accept": "application/vnd.schemaregistry.v1+json"})
        try:
            with urlopen(request, timeout=_TIMEOUT_S) as response:
                answer = json.loads(response.read(_MOST_BYTES))
                return str(answer["schema"])
        except HTTPError as error:
            error.close()
            if error.code == HTTPStatus.NOT_FOUND:
                return None
            raise self._unavailable(f"HTTP {error.code} {error.reason}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._unavailable(str(error) or type(error).__name__) from error

    def _unavailable(self, reason: str) -> RegistryUnavailable:
        return RegistryUnavailable(
            f"the schema registry at {self.url} does not answer: {reason}",
            hint="check CRYOTRAIL_SCHEMA_REGISTRY_URL; records wait in Kafka meanwhile",
        )
