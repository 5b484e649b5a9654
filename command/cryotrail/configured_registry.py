"""The schema registry of this installation, where its settings name one."""

from __future__ import annotations

from cryotrail.settings import Settings
from cryotrail_producers.schema_registry import SchemaRegistry


def configured_registry(settings: Settings) -> SchemaRegistry | None:
    """The registry that the settings name; None = none. It is asked when a schema is needed.

    :raises RegistryAddressRefused: what they name is no address.
    """
    url = settings.schema_registry_url
    return None if url is None else SchemaRegistry(url)
