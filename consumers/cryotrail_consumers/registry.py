"""The schema registry that records' frames name: the client is the one that publishers use."""

from cryotrail_producers.errors import RegistryUnavailable
from cryotrail_producers.schema_registry import SchemaRegistry

__all__ = ["RegistryUnavailable", "SchemaRegistry"]
