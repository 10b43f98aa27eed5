"""Reading dead_letter_queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import psycopg

from pipeline.clients.positions import Position
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.letter import Letter, Status, headers_from_json
from pipeline.dead_letters.reasons import normalise_reason

_COLUMNS = (
    "id, source_topic, source_partition, source_offset, connector, stage, sql_state, error_type, error_message, "
    "event_key, event_data, headers, status, status_reason, retry_count, row_key, first_seen, last_seen"
)


class Group(NamedTuple):
    """Letters that failed alike on one day (UTC)."""

    connector: str
    reason: str
    day: date


def read_letters(
    connection: psycopg.Connection, filters: Filters, *, batch: int = 5_000, newest_first: bool = False
) -> Iterator[Letter]:
    """Yield the letters that pass, in order of their ids, as of now: later ones are not seen.

    Other statements may use the connection meanwhile, and may change the letters.
    """
    condition, parameters = filters.where()
    row = connection.execute("SELECT coalesce(max(id), 0) FROM dead_letter_queue").fetchone()
    newest = int(row[0]) if row else 0
    comparison, order, position = ("<", "DESC", newest + 1) if newest_first else (">", "ASC", 0)
    while True:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM dead_letter_queue "  # noqa: S608 - constants of this module and of filters.py
            f"WHERE id {comparison} %(position)s AND id <= %(newest)s AND {condition} "
            f"ORDER BY id {order} LIMIT {batch}",
            {**parameters, "position": position, "newest": newest},
            binary=True,
        ).fetchall()
        if not rows:
            return
        position = rows[-1][0]
        yield from filter(filters.matches_reason, map(_letter, rows))


def _letter(row: tuple[Any, ...]) -> Letter:
    number, topic, partition, offset, connector, stage, sql_state, error_type, message, key, value, headers = row[:12]
    failure = (connector, stage, sql_state, error_type, message)
    return Letter(
        number, Position(topic, partition, offset), *failure, key, value, headers_from_json(headers), *row[12:]
    )


def count_groups(connection: psycopg.Connection, filters: Filters) -> dict[Group, Counter[Status]]:
    """Return how many letters of each status there are, by connector, normalised reason and day."""
    condition, parameters = filters.where()
    rows = connection.execute(
        # A reason is in the first line; without the others, letters that failed alike are few groups.
        "SELECT connector, (first_seen AT TIME ZONE 'UTC')::date, status, error_type, sql_state, "  # noqa: S608
        f"split_part(error_message, E'\\n', 1), count(*) FROM dead_letter_queue WHERE {condition} "
        "GROUP BY 1, 2, 3, 4, 5, 6",
        parameters,
    )
    groups: dict[Group, Counter[Status]] = {}
    for connector, day, status, error_type, sql_state, message, count in rows:
        reason = normalise_reason(error_type, sql_state, message)
        if filters.reason is None or filters.reason.casefold() in reason.casefold():
            groups.setdefault(Group(connector, reason, day), Counter())[status] += count
    return dict(sorted(groups.items()))
