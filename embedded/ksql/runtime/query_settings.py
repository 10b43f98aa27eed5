"""The settings of one query that change what it does: from SET, streamsProperties or defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded.ksql.runtime.naming import STREAMS_PREFIX

# With exactly-once Kafka Streams commits every 100 ms unless told otherwise.
DEFAULT_COMMIT_INTERVAL_MS = 100
# How long an uncached query gathers records at most: latency is worth more than fewer transactions.
LONGEST_LINGER_MS = 20


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """What a query honours. ``cache``: updates of a key are merged until the next commit."""

    from_earliest: bool = False
    cache: bool = True
    linger_ms: int = DEFAULT_COMMIT_INTERVAL_MS


def query_settings(properties: Mapping[str, Any]) -> QuerySettings:
    """Read a statement's properties; the prefix ``ksql.streams.`` is optional."""
    known = {name.removeprefix(STREAMS_PREFIX): str(value) for name, value in properties.items()}
    cached_bytes = known.get("cache.max.bytes.buffering", known.get("statestore.cache.max.bytes"))
    cache = cached_bytes is None or int(cached_bytes) > 0
    interval = int(known.get("commit.interval.ms", DEFAULT_COMMIT_INTERVAL_MS))
    return QuerySettings(
        from_earliest=known.get("auto.offset.reset", "latest").lower() == "earliest",
        cache=cache,
        linger_ms=interval if cache else min(interval, LONGEST_LINGER_MS),
    )
