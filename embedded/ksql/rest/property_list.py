"""SHOW PROPERTIES: what can be set, and what it is set to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded.ksql.runtime.naming import STREAMS_PREFIX
from embedded.ksql.runtime.properties import HONOURED
from embedded.ksql.runtime.query_settings import DEFAULT_COMMIT_INTERVAL_MS

_DEFAULTS = {
    "auto.offset.reset": "latest",
    "cache.max.bytes.buffering": "10485760",
    "commit.interval.ms": str(DEFAULT_COMMIT_INTERVAL_MS),
    "processing.guarantee": "exactly_once_v2",
}


def properties_entity(overwritten: Mapping[str, str]) -> dict[str, Any]:
    """Return the entity for the properties of a request and the server's defaults."""
    names = sorted(set(_DEFAULTS) | (HONOURED & set(overwritten)))
    listed = [
        {
            "name": f"{STREAMS_PREFIX}{name}",
            "scope": "KSQL",
            "value": overwritten.get(name, _DEFAULTS.get(name)),
            "editable": True,
            "level": "QUERY",
        }
        for name in names
    ]
    changed = [f"{STREAMS_PREFIX}{name}" for name in names if name in overwritten]
    unchanged = [f"{STREAMS_PREFIX}{name}" for name in names if name not in overwritten]
    return {
        "@type": "properties",
        "properties": listed,
        "overwrittenProperties": changed,
        "defaultProperties": unchanged,
    }
