"""The schemas that record bodies are written with: found, registered in the store, kept at hand."""

from __future__ import annotations

import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

from cryotrail_audit.errors import FingerprintCollision
from cryotrail_audit.records import StoredSchema
from cryotrail_audit.schema_identity import meaning
from cryotrail_producers.schema_registry import SchemaRegistry
from cryotrail_schemas.catalog import Catalog, EventType, catalog, event_type_of
from cryotrail_schemas.delivery import TYPE_PREFIX
from cryotrail_schemas.errors import QuarantineCode, SchemaError, UndecodableRecord

UNKNOWN_TYPE: Final = "unknown_type"
"""Flag on an event whose schema is known and whose type is not in the catalog."""

_ABSENT_FOR_S: Final = 30.0
_MOST_ABSENT: Final = 10_000


class KnownSchema(NamedTuple):
    """What decoding needs of a schema; its text is in the store."""

    event_type: str
    """Short name, such as ``FreezeStarted``; of a type in another namespace the full name."""
    plain: Any
    """Parsed for :func:`cryotrail_schemas.codec.decode_plain`."""
    sha256: bytes
    flag: str | None
    """:data:`UNKNOWN_TYPE`, or None for a type of the catalog."""


class SchemaStore(Protocol):
    """What of an :class:`~cryotrail_audit.store.AuditStore` is needed here."""

    def schemas(self) -> Mapping[bytes, StoredSchema]: ...
    def register_schema(
        self, text: str, fingerprint: bytes, event_type: str, version: int | None
    ) -> bytes: ...


class SchemasAtHand:
    """A store's schemas, to which none is added: for a look that is to leave no trace."""

    def __init__(self, store: SchemaStore) -> None:
        self._schemas = store.schemas()

    def schemas(self) -> Mapping[bytes, StoredSchema]:
        """See :meth:`AuditStore.schemas`."""
        return self._schemas

    def register_schema(
        self, text: str, fingerprint: bytes, event_type: str, version: int | None
    ) -> bytes:
        """The SHA-256 of the text; what :meth:`AuditStore.register_schema` would refuse is refused.

        :raises FingerprintCollision: a text that means something else has this fingerprint.
        """
        for known in self._schemas.values():
            if known.fingerprint == fingerprint and meaning(known.text) != meaning(text):
                raise FingerprintCollision(
                    f"another schema than this of {event_type} is known under {fingerprint.hex()}"
                )
        return sha256(text.encode()).digest()


class _Refusal(NamedTuple):
    code: QuarantineCode
    detail: str


class KnownSchemas:
    """Schemas by the fingerprint or by the registry's id that a record's frame names.

    A schema is registered in the store the first time that it is asked for, so the entry that
    says what a record's ``schema_sha256`` means stands before the record. The released schemas
    come from the catalog; those of other installations from the store, as it was at the start or
    at the last :meth:`look_again`; what has a registry's id, from the registry.
    """

    def __init__(self, store: SchemaStore, registry: SchemaRegistry | None = None) -> None:
        self._store = store
        self._registry = registry
        self._catalog: Catalog = catalog()
        self._stored = {stored.fingerprint: stored for stored in store.schemas().values()}
        self._by_fingerprint: dict[bytes, KnownSchema] = {}
        self._by_id: dict[int, KnownSchema | _Refusal] = {}
        self._absent_until: dict[int, float] = {}

    def by_fingerprint(self, fingerprint: bytes) -> KnownSchema:
        """The schema with this CRC-64-AVRO.

        :raises UndecodableRecord: ``unknown_fingerprint``.
        """
        known = self._by_fingerprint.get(fingerprint)
        if known is None:
            known = self._registered(self._found(fingerprint))
            self._by_fingerprint[fingerprint] = known
        return known

    def by_schema_id(self, schema_id: int) -> KnownSchema:
        """The schema with this id in the registry.

        :raises UndecodableRecord: ``registry_not_configured``; ``unknown_fingerprint`` when the
            registry has no such id (it is asked again after a while); ``fingerprint_collision``;
            ``undecodable`` when its text is no Avro schema of a record, or one that does not
            bound what decoding under it takes.
        :raises RegistryUnavailable: the registry does not answer; retriable.
        """
        known = self._by_id.get(schema_id)
        if known is None:
            known = self._fetched(schema_id)
            self._by_id[schema_id] = known
        if isinstance(known, _Refusal):
            raise UndecodableRecord(known.code, known.detail)
        return known

    def look_again(self) -> None:
        """Read the store's schemas anew, and ask the registry again for ids that it did not have.

        :raises AuditError: the store did not answer; retriable.
        """
        self._stored = {stored.fingerprint: stored for stored in self._store.schemas().values()}
        self._absent_until.clear()

    def _found(self, fingerprint: bytes) -> EventType:
        released = self._catalog.by_fingerprint(fingerprint)
        if released is not None:
            return released
        stored = self._stored.get(fingerprint)
        if stored is not None:
            return EventType(stored.event_type, stored.version, stored.text)
        raise UndecodableRecord("unknown_fingerprint", f"no schema has {fingerprint.hex()}")

    def _fetched(self, schema_id: int) -> KnownSchema | _Refusal:
        text = self._registry_text(schema_id)
        try:
            foreign = event_type_of(text)
            released = self._catalog.by_fingerprint(foreign.fingerprint)
            if released is not None:
                # Known first, so that it is the stranger's text that the store refuses.
                self.by_fingerprint(foreign.fingerprint)
                foreign = released if released.sha256 == foreign.sha256 else foreign
            return self._registered(foreign)
        except SchemaError as error:
            return _Refusal("undecodable", f"schema id {schema_id}: {error}")
        except FingerprintCollision as error:
            return _Refusal("fingerprint_collision", f"schema id {schema_id}: {error}")

    def _registry_text(self, schema_id: int) -> str:
        if self._registry is None:
            raise UndecodableRecord("registry_not_configured", f"schema id {schema_id}")
        now = time.monotonic()
        if self._absent_until.get(schema_id, now) <= now:
            text = self._registry.text(schema_id)
            if text is not None:
                return text
            if len(self._absent_until) >= _MOST_ABSENT:  # ids that garbage makes up
                self._absent_until.clear()
            self._absent_until[schema_id] = now + _ABSENT_FOR_S
        raise UndecodableRecord("unknown_fingerprint", f"the registry has no id {schema_id}")

    def _registered(self, event_type: EventType) -> KnownSchema:
        full_name = str(event_type.plain["name"])
        name = full_name.removeprefix(TYPE_PREFIX)
        is_ours = name != full_name and self._catalog.versions(name)
        return KnownSchema(
            event_type=name,
            plain=event_type.plain,
            sha256=self._store.register_schema(
                event_type.text, event_type.fingerprint, name, event_type.version
            ),
            flag=None if is_ours else UNKNOWN_TYPE,
        )
