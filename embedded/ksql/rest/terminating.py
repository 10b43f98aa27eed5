"""POST /ksql/terminate: the end of all queries, and of the topics that the client names."""

from __future__ import annotations

import re
from typing import Any

from embedded.ksql.errors import KsqlError
from embedded.ksql.runtime.engine import TERMINATE_CLUSTER, Engine


def terminate_cluster(engine: Engine, patterns: list[str]) -> list[dict[str, Any]]:
    """End everything; delete topics of streams and tables that match a pattern as a whole. Raises KsqlError."""
    compiled = [_compiled(pattern) for pattern in patterns]
    with engine.changing():
        topics = {source.topic for source in engine.catalog.sources.values() if not source.read_only}
        matching = [topic for topic in sorted(topics) if any(pattern.fullmatch(topic) for pattern in compiled)]
        number = engine.terminate(matching)
    return [
        {
            "@type": "currentStatus",
            "statementText": TERMINATE_CLUSTER,
            "commandId": "terminate/CLUSTER/execute",
            "commandStatus": {
                "status": "QUEUED",
                "message": "Statement written to command topic",
                "queryId": None,
            },
            "commandSequenceNumber": number,
            "warnings": [],
        }
    ]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise KsqlError(f"Invalid pattern: {pattern}") from error
