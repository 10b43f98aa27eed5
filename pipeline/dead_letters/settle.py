"""What became of replays: those that were interrupted, and those whose letters have come to nothing visible."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.letter_headers import replayed
from pipeline.clients.positions import Position
from pipeline.clients.records import read_records
from pipeline.dead_letters.actions import end_replay
from pipeline.declared.connectors import sink_group

DEAD_LETTERS = "dead-letters"  # the connector that feeds the table


@dataclass(frozen=True, slots=True)
class OpenReplay:
    """A replay whose outcome is not known; ``ends`` is None if it was interrupted."""

    id: int
    connector: str
    retry_topic: str
    starts: Offsets
    ends: Offsets | None


def settle(connection: psycopg.Connection, kafka: Kafka) -> int:
    """Bring letters that are `retrying` to what Kafka shows; return how many were put back to `pending`.

    To be called by the holder of the lock of replays. A letter that an interrupted replay did not send goes back to
    `pending`. A letter is resolved if the sink is past it and no newer dead letter of it is there or on its way to the
    table: that is the rule for rows whose arrival no trigger sees, such as one that a tombstone removed.
    """
    put_back = 0
    for replay in _open_replays(connection):
        with connection.transaction():
            if replay.ends is None:
                put_back += _recover(connection, kafka, replay)
            elif not _retrying(connection, replay.id):
                _close(connection, replay)
            elif _is_past(kafka, replay):
                failed = _on_their_way(kafka, f"dlq.{replay.connector}")
                retrying = _retrying(connection, replay.id)  # after that: what has arrived meanwhile is none of them
                taken = [number for letter, number in retrying.items() if letter not in failed]
                connection.execute(
                    "UPDATE dead_letter_queue SET status = 'resolved', status_reason = 'the sink took it', "
                    "last_seen = now() WHERE id = ANY(%s) AND action_id = %s AND status = 'retrying'",
                    (taken, replay.id),
                )
                if len(taken) == len(retrying):
                    _close(connection, replay)
    return put_back


def _open_replays(connection: psycopg.Connection) -> list[OpenReplay]:
    rows = connection.execute(
        "SELECT id, connector, retry_topic, retry_starts, retry_ends FROM dead_letter_actions "
        "WHERE action = 'replay' AND NOT settled ORDER BY id"
    )
    return [
        OpenReplay(number, connector, topic, _offsets(starts), None if ends is None else _offsets(ends))
        for number, connector, topic, starts, ends in rows
    ]


def _offsets(document: dict[str, int]) -> Offsets:
    return {int(partition): offset for partition, offset in document.items()}


def _retrying(connection: psycopg.Connection, action_id: int) -> dict[tuple[Position, int], int]:
    """Return the letters without outcome: origin and number of the attempt → id."""
    rows = connection.execute(
        "SELECT source_topic, source_partition, source_offset, retry_count + 1, id FROM dead_letter_queue "
        "WHERE action_id = %s AND status = 'retrying'",
        (action_id,),
    )
    return {(Position(topic, partition, offset), attempt): number for topic, partition, offset, attempt, number in rows}


def _recover(connection: psycopg.Connection, kafka: Kafka, replay: OpenReplay) -> int:
    ends = kafka.ends(replay.retry_topic)
    # What retention has removed since counts as not sent: a letter may come twice, and is not lost.
    sent = _replayed_between(kafka, replay.retry_topic, replay.starts, ends)
    unsent = [number for letter, number in _retrying(connection, replay.id).items() if letter not in sent]
    connection.execute(
        "UPDATE dead_letter_queue SET status = 'pending', status_reason = 'its replay was interrupted', "
        "action_id = NULL WHERE id = ANY(%s)",
        (unsent,),
    )
    end_replay(connection, replay.id, ends, dict.fromkeys(unsent, "the replay was interrupted before it was sent"))
    return len(unsent)


def _close(connection: psycopg.Connection, replay: OpenReplay) -> None:
    connection.execute("UPDATE dead_letter_actions SET settled = true WHERE id = %s", (replay.id,))


def _is_past(kafka: Kafka, replay: OpenReplay) -> bool:
    """Whether the sink has handled the replay: what it refused is in the topic of its dead letters."""
    committed = kafka.committed(sink_group(replay.connector), replay.retry_topic)
    return all(committed.get(partition, 0) >= end for partition, end in (replay.ends or {}).items())


def _on_their_way(kafka: Kafka, topic: str) -> set[tuple[Position, int] | None]:
    """Return the replays whose dead letters have not reached the table yet."""
    passed = kafka.committed(sink_group(DEAD_LETTERS), topic)
    return _replayed_between(kafka, topic, passed, kafka.ends(topic))


def _replayed_between(kafka: Kafka, topic: str, starts: Offsets, ends: Offsets) -> set[tuple[Position, int] | None]:
    """Return the replays that a topic tells of between two positions, as far as it still holds them."""
    held = {partition: max(start, starts.get(partition, 0)) for partition, start in kafka.starts(topic).items()}
    return {replayed(message.headers()) for message in read_records(kafka.config, topic, held, ends)}
