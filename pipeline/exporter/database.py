"""What PostgreSQL tells: rows, dead letters, the last checks, connections, size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import psycopg
from prometheus_client.core import Metric
from pydantic import SecretStr

from pipeline.clients.postgres import connect, table_exists
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.table import count_groups
from pipeline.exporter.families import gauge, gauges

TABLES = ("users", "user_events", "user_stats", "dead_letter_queue")
_MOST_REASONS = 50  # more would be a time series for each record of a new kind of failure

_ROWS = "SELECT relname, n_live_tup FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = ANY(%s)"
_SERVER = """
SELECT
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    current_setting('max_connections')::int,
    pg_database_size(current_database())
"""
_CHECKS = """
SELECT DISTINCT ON (kind) kind, ok, extract(epoch FROM ended_at)::float8, seconds, differences
FROM pipeline_checks ORDER BY kind, ended_at DESC
"""


def database_metrics(dsn: SecretStr) -> list[Metric]:
    """Ask the database; what is not deployed yet is left out. Raises ServerError."""
    with connect(dsn, autocommit=True) as connection:
        return [*_server(connection), *_rows(connection), *_dead_letters(connection), *_checks(connection)]


def _server(connection: psycopg.Connection) -> Iterator[Metric]:
    (row,) = connection.execute(_SERVER).fetchall()
    yield gauge("pipeline_postgres_connections", "Connections of clients.", row[0])
    yield gauge("pipeline_postgres_connections_limit", "max_connections.", row[1])
    yield gauge("pipeline_postgres_database_bytes", "Size of the database on disk.", row[2])


def _rows(connection: psycopg.Connection) -> Iterator[Metric]:
    rows = [((name,), float(count)) for name, count in connection.execute(_ROWS, (list(TABLES),))]
    yield gauges("pipeline_table_rows", "Rows, as PostgreSQL's statistics estimate them.", ["table"], rows)


def _dead_letters(connection: psycopg.Connection) -> Iterator[Metric]:
    if not table_exists(connection, "dead_letter_queue"):
        return
    counts: Counter[tuple[str, str, str]] = Counter()
    for group, statuses in count_groups(connection, Filters()).items():
        for status, count in statuses.items():
            counts[group.connector, group.reason, status] += count
    total = sum(counts.values())
    yield gauge("pipeline_dead_letters_recorded", "Dead letters ever recorded, whatever became of them.", total)
    kept = counts.most_common(_MOST_REASONS)
    samples = [(key, float(count)) for key, count in kept]
    yield gauges(
        "pipeline_dead_letters",
        f"Dead letters; the {_MOST_REASONS} most frequent combinations.",
        ["connector", "reason", "status"],
        samples,
    )
    open_letters = sum(count for (_, _, status), count in counts.items() if status in {"pending", "retrying", "dead"})
    yield gauge("pipeline_dead_letters_open", "Dead letters neither resolved nor discarded.", open_letters)


def _checks(connection: psycopg.Connection) -> Iterator[Metric]:
    if not table_exists(connection, "pipeline_checks"):
        return
    checks = connection.execute(_CHECKS).fetchall()
    yield gauges(
        "pipeline_check_ok",
        "1 if the last check of the kind passed.",
        ["kind"],
        [((c[0],), float(c[1])) for c in checks],
    )
    yield gauges(
        "pipeline_check_timestamp_seconds",
        "When the last check of the kind ended.",
        ["kind"],
        [((c[0],), c[2]) for c in checks],
    )
    yield gauges(
        "pipeline_check_seconds",
        "How long the check's stages took.",
        ["kind", "stage"],
        [((kind, stage), float(value)) for kind, _, _, seconds, _ in checks for stage, value in seconds.items()],
    )
    yield gauges(
        "pipeline_check_differences",
        "What the last check found wrong, by name.",
        ["kind", "what"],
        [((kind, what), float(count)) for kind, *_, found in checks for what, count in found.items()],
    )
