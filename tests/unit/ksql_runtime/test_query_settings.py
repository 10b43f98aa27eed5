from __future__ import annotations

from embedded.ksql.runtime.query_settings import DEFAULT_COMMIT_INTERVAL_MS, LONGEST_LINGER_MS, query_settings


def test_without_properties_a_query_starts_at_the_end_and_merges_updates() -> None:
    settings = query_settings({})
    assert not settings.from_earliest
    assert settings.cache
    assert settings.linger_ms == DEFAULT_COMMIT_INTERVAL_MS


def test_the_streams_prefix_is_optional() -> None:
    for prefix in ("", "ksql.streams."):
        properties = {f"{prefix}auto.offset.reset": "earliest", f"{prefix}cache.max.bytes.buffering": "0"}
        settings = query_settings(properties)
        assert settings.from_earliest
        assert not settings.cache


def test_an_uncached_query_does_not_wait_for_the_commit_interval() -> None:
    settings = query_settings({"cache.max.bytes.buffering": 0, "commit.interval.ms": 2000})
    assert settings.linger_ms == LONGEST_LINGER_MS


def test_a_cached_query_merges_for_the_commit_interval() -> None:
    assert query_settings({"commit.interval.ms": "2000"}).linger_ms == 2000
