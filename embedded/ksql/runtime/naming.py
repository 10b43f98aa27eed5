"""Names that ksqlDB gives to what it makes in Kafka, so that tools which know them find them here too."""

from __future__ import annotations

INTERNAL_PREFIX = "_confluent-ksql-"
STREAMS_PREFIX = "ksql.streams."


def consumer_group(service_id: str, query_id: str) -> str:
    """Return the consumer group of a persistent query."""
    return f"{INTERNAL_PREFIX}{service_id}query_{query_id}"


def changelog_topic(service_id: str, query_id: str, store: str) -> str:
    """Return the changelog topic of one store of a persistent query."""
    return f"{consumer_group(service_id, query_id)}-{store}-changelog"


def processing_log_topic(service_id: str) -> str:
    """Return the topic that tells of skipped records."""
    return f"{service_id}ksql_processing_log"
