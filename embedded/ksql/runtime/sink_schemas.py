"""Avro schemas of declared streams and tables, registered before anything is written with them."""

from __future__ import annotations

from embedded.ksql.formats.avro import AvroSerde
from embedded.ksql.formats.serdes import key_serde, value_serde
from embedded.ksql.planning.catalog import DeclaredSource
from embedded.ksql.runtime.registry import RegistryClient


def register_schemas(source: DeclaredSource, registry: RegistryClient) -> None:
    """Register the schemas of key and value, as ksqlDB does: those of a query's result always, others where missing.

    Raises StatementError if the registry refuses one.
    """
    if source.read_only:
        return
    for serde in _serdes(source, registry):
        if source.made_from or registry.latest(serde.subject) is None:
            serde.register()


def subjects(source: DeclaredSource, registry: RegistryClient) -> list[str]:
    """Return the subjects under which a source's schemas are registered."""
    return [serde.subject for serde in _serdes(source, registry)]


def _serdes(source: DeclaredSource, registry: RegistryClient) -> list[AvroSerde]:
    key = key_serde(source.key_format, source.schema.key, topic=source.topic, registry=registry)
    value = value_serde(source.value_format, source.schema.payload, topic=source.topic, registry=registry)
    return [serde for serde in (key, value) if isinstance(serde, AvroSerde)]
