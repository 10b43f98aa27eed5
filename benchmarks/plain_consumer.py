"""What the pipeline is compared with: a Python consumer that writes to PostgreSQL itself.

The best a competent person writes in an afternoon: confluent-kafka, fastavro, COPY into a staging table, one upsert a
batch, offsets committed after the transaction. With ``--stats`` it also keeps user_stats, safe under redelivery: only
events that were new add to the statistics, in the transaction that inserts them. Rows that PostgreSQL refuses are found
by halving and counted.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import fastavro
import psycopg
from confluent_kafka import Consumer, Message

BATCH = 2_000
HEADER_BYTES = 5

STATS = """
INSERT INTO user_stats AS old
    (user_id, total_events, total_purchases, total_spent, last_active, last_purchase, avg_session_seconds,
     engagement_score)
SELECT user_id, count(*), count(*) FILTER (WHERE event_type = 'purchase'),
    coalesce(sum(amount) FILTER (WHERE event_type = 'purchase' AND currency = 'USD'), 0),
    max(occurred_at), max(occurred_at) FILTER (WHERE event_type = 'purchase'), 0,
    least(100, 0.5 * count(*) + 5 * count(*) FILTER (WHERE event_type = 'purchase'))
FROM added GROUP BY user_id
ON CONFLICT (user_id) DO UPDATE SET
    total_events = old.total_events + excluded.total_events,
    total_purchases = old.total_purchases + excluded.total_purchases,
    total_spent = old.total_spent + excluded.total_spent,
    last_active = greatest(old.last_active, excluded.last_active),
    last_purchase = greatest(old.last_purchase, excluded.last_purchase),
    engagement_score = least(100, old.engagement_score + excluded.engagement_score)
"""


class PlainConsumer:
    """Reads one topic and writes one table."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        with open(arguments.schema, encoding="utf-8") as file:  # noqa: PTH123 - as people write it
            declared = json.load(file)
        self._columns = [field["name"] for field in declared["fields"]]
        self._schema = fastavro.parse_schema(declared)
        self._consumer = Consumer(
            {
                "bootstrap.servers": arguments.bootstrap_servers,
                "group.id": arguments.group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
            }
        )
        self._consumer.subscribe([arguments.topic], on_assign=lambda *_: print("assigned", flush=True))
        self._idle_seconds = arguments.idle_seconds
        self._connection = psycopg.connect(arguments.dsn)
        self._insert = self._prepare(with_stats=arguments.stats)
        self.refused = 0

    def _prepare(self, *, with_stats: bool) -> str:
        names = ", ".join(self._columns)
        self._connection.execute(
            f"CREATE TEMP TABLE staging ON COMMIT DELETE ROWS AS SELECT {names} FROM user_events WITH NO DATA"
        )
        self._connection.commit()
        insert = f"INSERT INTO user_events ({names}) SELECT DISTINCT ON (event_id) {names} FROM staging"
        if with_stats:
            return f"WITH added AS ({insert} ON CONFLICT DO NOTHING RETURNING *) {STATS}"
        changes = ", ".join(f"{name} = excluded.{name}" for name in self._columns if name != "event_id")
        return f"{insert} ON CONFLICT (event_id) DO UPDATE SET {changes}"

    def run(self) -> None:
        """Consume until no record has come for a while."""
        heard = time.monotonic()
        begun = False
        while not begun or time.monotonic() - heard < self._idle_seconds:
            messages = self._consumer.consume(BATCH, timeout=0.1)
            if messages:
                self._write([self._decode(message) for message in messages])
                self._consumer.commit(asynchronous=False)
                heard, begun = time.monotonic(), True
        self._consumer.close()
        self._connection.close()

    def _decode(self, message: Message) -> tuple[Any, ...]:
        if message.error() is not None:
            raise RuntimeError(message.error())
        body = io.BytesIO((message.value() or b"")[HEADER_BYTES:])
        event: Any = fastavro.schemaless_reader(body, self._schema, None)
        return tuple(event.values())

    def _write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write one transaction; where a row is refused, halves, down to that row."""
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                with cursor.copy(f"COPY staging ({', '.join(self._columns)}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                cursor.execute(self._insert)
        except (psycopg.DataError, psycopg.IntegrityError):
            if len(rows) == 1:
                self.refused += 1
                return
            for half in _halves(rows):
                self._write(half)


def _halves(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    middle = len(rows) // 2
    yield rows[:middle]
    yield rows[middle:]


def main() -> None:
    """Consume as the command line says and print how many rows were refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bootstrap-servers", "topic", "group", "dsn", "schema"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--idle-seconds", type=float, required=True, help="ends after so long without a record")
    parser.add_argument("--stats", action="store_true")
    arguments = parser.parse_args()
    consumer = PlainConsumer(arguments)
    consumer.run()
    print(consumer.refused)


if __name__ == "__main__":
    main()
