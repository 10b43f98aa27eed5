"""Persons who were erased and whose statistics are back, because something counted the old records anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg

from pipeline.clients.kafka import Kafka
from pipeline.clients.lag import await_read
from pipeline.clients.positions import Position
from pipeline.clients.postgres import connect, table_exists
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.connectors import sink_group
from pipeline.erase.tombstones import send_tombstones
from pipeline.settings import Settings
from pipeline.verify.erasures import Erasures, read_erasures
from pipeline.verify.events import event_reader
from pipeline.verify.ledger import Ledger
from pipeline.verify.lock import verification_lock
from pipeline.verify.progress import await_statistics
from pipeline.verify.topics import STATS, STATS_SINK


def erase_again(settings: Settings, *, timeout_seconds: float, progress: Callable[[str], None]) -> list[Position]:
    """Remove the statistics of everybody who was erased and has sent nothing since; return their tombstones.

    A rebuild or a new ksqlDB counts records that are erased for us but still in the topic. The persons are found by
    their hashes. Raises NotReadyError if the statistics are not written within ``timeout_seconds``, and RejectedError
    or UnreachableError of the server concerned.
    """
    with connect(settings.postgres_dsn, autocommit=True) as connection:
        if not table_exists(connection, "erasures") or not read_erasures(connection).ends:
            return []
        kafka = Kafka(settings.kafka_config())
        ledger = Ledger(connection, kafka, event_reader(SchemaRegistry(settings.schema_registry)))
        with verification_lock(connection, timeout_seconds):
            progress("waiting until the statistics are written …")
            await_statistics(kafka, timeout_seconds=timeout_seconds)
            connection.execute("SET timezone TO 'UTC'")
            ledger.open()
            counted = _counted(connection, read_erasures(connection))  # first: an event of theirs may come at any time
            with connection.transaction():
                ledger.read_on()
            returned = _silent(connection, counted)
            if not returned:
                return []
            progress("removing …")
            tombstones = send_tombstones(kafka.config, [STATS], returned)
            awaiting = f"sink {STATS_SINK} to meet the tombstones"
            await_read(kafka, sink_group(STATS_SINK), STATS, awaiting=awaiting, timeout_seconds=timeout_seconds)
            return tombstones


def _counted(connection: psycopg.Connection, erasures: Erasures) -> list[str]:
    """Return who was erased and has statistics."""
    return [user for (user,) in connection.execute("SELECT user_id FROM user_stats") if erasures.of(user)]


def _silent(connection: psycopg.Connection, users: list[str]) -> Sequence[str]:
    """Return those of whom no event is known that was sent since they were erased."""
    sending = connection.execute("SELECT DISTINCT user_id FROM verified_records WHERE user_id = ANY(%s)", (users,))
    return sorted(set(users) - {user for (user,) in sending})
