"""What `pipeline verify` finds on real servers: every kind of loss that can be staged, with its coordinates."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, LiteralString
from uuid import uuid4

import fastavro
import psycopg
import pytest
from confluent_kafka import Producer
from psycopg.sql import SQL, Identifier

from access.http import Endpoint
from pipeline.clients.avro import wire_value
from pipeline.clients.kafka import Kafka
from pipeline.clients.registry import SchemaRegistry
from pipeline.verify.changes import forget_sums
from pipeline.waiting import wait_until
from producer.avro import encoder_for
from tests.conftest import Stack
from tests.e2e.proving import Connector, Sender, accounts, await_letters, damaging, exact


@pytest.fixture(scope="module")
def deployed(deployed: Stack) -> Stack:
    """The stack with everything deployed that the repository declares, and some events through."""
    assert deployed.pipeline("produce", "--events", "500", "--duplicates", "0.1", "--users", "40").returncode == 0
    exact(deployed)
    return deployed


def place(partition: int, offset: int) -> str:
    return f"user-events-{partition}@{offset}"


def test_a_deleted_row_is_found_with_its_coordinates(deployed: Stack) -> None:
    sender = Sender(deployed)
    event = sender.event()
    (sent,) = sender.send(event)
    exact(deployed)
    with damaging(deployed, "user_events") as connection:
        connection.execute("DELETE FROM user_events WHERE event_id = %s", (event["event_id"],))
        found = accounts(deployed)
    assert (found["ok"], found["missing"], found["users_mismatched"]) == (False, 1, 0)
    (missing,) = found["details"]["missing"]
    assert missing == {
        "position": place(*sent),
        "event_id": event["event_id"],
        "user_id": sender.user_id,
        "reason": "no row and no dead letter",
    }


def await_row(stack: Stack, event: Mapping[str, Any]) -> None:
    """Wait until an event is a row, without a verification."""

    def is_there() -> bool:
        with psycopg.connect(stack.postgres_dsn) as connection:
            found = connection.execute("SELECT FROM user_events WHERE event_id = %s", (event["event_id"],)).fetchone()
        return found is not None

    wait_until(is_there, awaiting="the row", timeout_seconds=60)


def test_a_deleted_row_is_found_where_as_many_rows_are_new_or_written_again(deployed: Stack) -> None:
    sender = Sender(deployed)
    gone, again, new = sender.event(), sender.event(), sender.event()
    places = sender.send(gone, again)
    exact(deployed)
    sender.send(again, new)
    await_row(deployed, new)
    with damaging(deployed, "user_events") as connection:
        connection.execute("DELETE FROM user_events WHERE event_id = %s", (gone["event_id"],))
        found = accounts(deployed)
    assert [missing["position"] for missing in found["details"]["missing"]] == [place(*places[0])]
    exact(deployed)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "storage = 'other files', before = pg_snapshot_xmin(pg_current_snapshot())",
        "before = '4000000000'",  # transactions here have not come that far
    ],
)
def test_what_was_remembered_of_other_rows_says_nothing_of_these(deployed: Stack, elsewhere: LiteralString) -> None:
    sender = Sender(deployed)
    event = sender.event()
    sender.send(event)
    exact(deployed)
    with damaging(deployed, "user_events") as connection:
        connection.execute("UPDATE user_events SET device = 'tablet' WHERE event_id = %s", (event["event_id"],))
        connection.execute(f"UPDATE verified_rows SET {elsewhere}")
        assert accounts(deployed)["altered"] == 1
    exact(deployed)


def test_what_a_transaction_changes_that_was_open_meanwhile_is_found(deployed: Stack) -> None:
    sender = Sender(deployed)
    altered, gone = sender.event(), sender.event()
    _, lost = sender.send(altered, gone)
    exact(deployed)
    with damaging(deployed, "user_events"):
        with psycopg.connect(deployed.postgres_dsn) as writing:
            writing.execute("UPDATE user_events SET device = 'tablet' WHERE event_id = %s", (altered["event_id"],))
            with writing.transaction():  # a savepoint, with a number of its own
                writing.execute("DELETE FROM user_events WHERE event_id = %s", (gone["event_id"],))
            assert accounts(deployed)["ok"]
        found = accounts(deployed)
    assert [each["event_id"] for each in found["details"]["altered"]] == [altered["event_id"]]
    assert [each["position"] for each in found["details"]["missing"]] == [place(*lost)]
    exact(deployed)


def test_a_verification_of_a_range_does_not_take_what_is_wrong_outside_of_it_for_right(deployed: Stack) -> None:
    sender = Sender(deployed)
    event = sender.event()
    sender.send(event)
    exact(deployed)
    since = datetime.now(UTC).isoformat()
    with damaging(deployed, "user_events") as connection:
        connection.execute("UPDATE user_events SET device = 'tablet' WHERE event_id = %s", (event["event_id"],))
        exact(deployed, "--since", since)
        assert accounts(deployed)["altered"] == 1
    exact(deployed)


def test_sums_that_were_made_of_something_else_are_made_anew(deployed: Stack) -> None:
    exact(deployed)
    with psycopg.connect(deployed.postgres_dsn, autocommit=True) as connection:
        connection.execute("UPDATE verified_statistics SET total_spent = total_spent + 1")
        connection.execute("UPDATE verified_rows SET sums = 'others'")
    exact(deployed)


def test_a_user_id_that_no_index_can_hold_is_a_dead_letter_and_exact(deployed: Stack) -> None:
    sender = Sender(deployed, user_id=f"u-{''.join(uuid4().hex for _ in range(200))}")
    places = sender.send(sender.event(), sender.event())
    await_letters(deployed, places)
    exact(deployed)
    exact(deployed)


CHANGES = {
    "user_id": "'someone-else'",
    "session_id": "session_id || ' '",
    "event_type": "'login'",
    "occurred_at": "occurred_at - interval '1 ms'",
    "device": "'tablet'",
    "country": "'XX'",
    "ip_address": "'192.0.2.1'",
    "page": "'/other'",
    "referrer": "''",
    "duration_seconds": "7",
    "metadata": "'{}'",
    "product_id": "'p'",
    "quantity": "3",
    "category": "'c'",
    "amount": "coalesce(amount, 0) + 0.01",
    "currency": "'XXX'",
    "video_id": "'v'",
    "watched_percent": "51",
    "video_duration_seconds": "60",
    "element_id": "'e'",
    "element_type": "'link'",
    "x": "-1",
    "y": "-1",
    "query": "'q'",
    "results_count": "0",
    "channel": "'link'",
}


def test_a_row_that_was_altered_is_found_whatever_the_column(deployed: Stack) -> None:
    sender = Sender(deployed)
    events = {column: sender.event() for column in CHANGES}
    sender.send(*events.values())
    exact(deployed)
    with damaging(deployed, "user_events") as connection:
        for column, change in CHANGES.items():
            connection.execute(
                SQL("UPDATE user_events SET {} = {} WHERE event_id = %s").format(Identifier(column), SQL(change)),
                (events[column]["event_id"],),
            )
        found = accounts(deployed)
    assert (found["ok"], found["altered"], found["missing"]) == (False, len(CHANGES), 0)
    names = {event["event_id"]: column for column, event in events.items()}
    for altered in found["details"]["altered"]:
        assert list(altered["expected"]) == list(altered["actual"]) == [names[altered["event_id"]]]
    assert len(found["details"]["altered"]) == 20


def test_a_row_that_was_put_right_again_is_right(deployed: Stack) -> None:
    sender = Sender(deployed)
    event = sender.event()
    sender.send(event)
    exact(deployed)
    with psycopg.connect(deployed.postgres_dsn, autocommit=True) as connection:
        update = "UPDATE user_events SET watched_percent = %s WHERE event_id = %s"
        connection.execute(update, (99, event["event_id"]))
        for found in (accounts(deployed), accounts(deployed)):  # as long as it is wrong, not only once
            (altered,) = found["details"]["altered"]
            assert (altered["expected"], altered["actual"]) == ({"watched_percent": 50}, {"watched_percent": 99})
        connection.execute(update, (50, event["event_id"]))
    exact(deployed)


def test_records_that_were_skipped_with_the_offsets_api_are_missing(deployed: Stack) -> None:
    sender, connector = Sender(deployed), Connector(deployed, "user-events")
    exact(deployed)
    with connector.stopped():
        places = sender.send(*(sender.event() for _ in range(5)))
        partition, first = places[0]
        connector.move_to("user-events", partition, first + 3)
    found = accounts(deployed)
    assert [missing["position"] for missing in found["details"]["missing"]] == [place(*sent) for sent in places[:3]]
    assert (found["missing"], found["users_mismatched"]) == (3, 0)
    printed = deployed.pipeline("verify", "--timeout", "30")
    assert printed.returncode == 1
    assert place(partition, first) in printed.stdout
    with connector.stopped():
        connector.move_to("user-events", partition, first)
    exact(deployed)


def test_a_row_that_nobody_sent_is_found(deployed: Stack) -> None:
    stranger = str(uuid4())
    with damaging(deployed, "user_events") as connection:
        connection.execute(
            "INSERT INTO user_events (event_id, user_id, session_id, event_type, occurred_at, device) "
            "VALUES (%s, 'stranger', 's', 'login', now(), 'web')",
            (stranger,),
        )
        found = accounts(deployed)
    assert (found["ok"], found["unexpected"], found["users_mismatched"]) == (False, 1, 0)
    assert found["details"]["unexpected"] == [{"where": "user_events", "what": stranger, "user_id": "stranger"}]


@pytest.mark.parametrize("difference", [1, -1])
def test_a_statistic_that_is_off_by_one_is_found(deployed: Stack, difference: int) -> None:
    sender = Sender(deployed)
    sender.send(*(sender.event() for _ in range(3)))
    exact(deployed)
    with damaging(deployed, "user_stats") as connection:
        changed = connection.execute(
            "UPDATE user_stats SET last_active = last_active + interval '1 s', total_events = total_events + %s "
            "WHERE user_id = %s",
            (difference, sender.user_id),
        )
        assert changed.rowcount == 1
        found = accounts(deployed)
    (mismatched,) = found["details"]["users_mismatched"]
    assert mismatched["user_id"] == sender.user_id
    assert mismatched["expected"]["total_events"] == 3
    assert mismatched["actual"]["total_events"] == 3 + difference


def test_a_user_without_statistics_and_one_without_events_are_found(deployed: Stack) -> None:
    sender = Sender(deployed)
    sender.send(sender.event())
    exact(deployed)
    with damaging(deployed, "user_stats") as connection:
        gone = connection.execute("DELETE FROM user_stats WHERE user_id = %s", (sender.user_id,))
        connection.execute("INSERT INTO user_stats VALUES ('stranger', 1, 0, 0, now(), NULL, 0, 0.5)")
        found = accounts(deployed)
        printed = deployed.pipeline("verify").stdout
    assert gone.rowcount == 1
    assert {user["user_id"] for user in found["details"]["users_mismatched"]} == {sender.user_id, "stranger"}
    assert "no row" in printed
    assert "a row" in printed


def test_what_postgresql_refuses_is_counted_by_ksqldb_and_still_exact(deployed: Stack) -> None:
    sender = Sender(deployed)
    before = exact(deployed)
    now = time.time_ns() // 1_000_000
    poison = [
        sender.event(watched_percent=101),
        sender.event(event_id="not a uuid"),
        sender.event(metadata='{"page": "\\u0000"}'),
        sender.event(metadata="no JSON"),
        sender.event(session_id="a\x00b"),
        sender.event(user_id=f"{sender.user_id}\x00"),
        sender.event(event_type="dance"),
        sender.event(occurred_at=now + 2 * 3_600_000),
        sender.event(occurred_at=10**15),
    ]
    places = sender.send(sender.event(), *poison, sender.event(), b"not avro", sender.encode(sender.event())[:20])
    await_letters(deployed, [*places[1:10], *places[11:]])
    after = exact(deployed)
    assert after["dead_letters"] - before["dead_letters"] == 11
    assert after["rows"] - before["rows"] == 2
    assert after["unreadable"] - before["unreadable"] == 3
    with psycopg.connect(deployed.postgres_dsn) as connection:
        row = connection.execute("SELECT total_events FROM user_stats WHERE user_id = %s", (sender.user_id,)).fetchone()
    assert row == (8,)
    exact(deployed, "--full")


def test_an_event_whose_id_is_no_uuid_counts_once_however_often_it_is_sent(deployed: Stack) -> None:
    sender = Sender(deployed)
    event = sender.event(event_id=f"no uuid {uuid4()}")
    for _ in range(2):
        await_letters(deployed, sender.send(event))
        exact(deployed)
    exact(deployed, "--full")


def test_an_event_that_was_ahead_of_the_clock_counts_when_it_is_sent_again_in_time(deployed: Stack) -> None:
    sender = Sender(deployed)
    in_time = time.time() + 20
    event = sender.event(occurred_at=int((in_time + 3_600) * 1000))
    await_letters(deployed, sender.send(event))
    before = exact(deployed)
    time.sleep(max(0.0, in_time + 1 - time.time()))
    sender.send(event)
    after = exact(deployed)
    assert (after["rows"] - before["rows"], after["users"] - before["users"]) == (1, 1)


def test_what_other_schemas_have_in_an_events_fields_is_a_dead_letter_and_exact(deployed: Stack) -> None:
    sender = Sender(deployed)
    names = ("event_id", "user_id", "occurred_at", "amount", "duration_seconds")
    schema = {"type": "record", "name": "Foreign", "fields": [{"name": name, "type": "string"} for name in names]}
    registry = SchemaRegistry(Endpoint(deployed.schema_registry_url))
    encoder = encoder_for(schema, registry.register("foreign-value", json.dumps(schema)))
    values = [("not yet", "1", "1"), ("infinity", "1", "1"), ("2026-01-01", "abc", "1"), ("2026-01-01", "1", "1.5")]
    records = [encoder.encode(dict(zip(names, (str(uuid4()), sender.user_id, *each), strict=True))) for each in values]
    await_letters(deployed, sender.send(*records))
    exact(deployed)


def foreign(stack: Stack, sender: Sender, event_id: str, **others: tuple[Any, Any]) -> bytes:
    """Return an event of another writer's schema, in which some fields have another type, and a value of it."""
    fields: dict[str, tuple[Any, Any]] = {
        "event_id": ("string", event_id),
        "user_id": ("string", sender.user_id),
        "occurred_at": ({"type": "long", "logicalType": "timestamp-millis"}, time.time_ns() // 1_000_000),
        **others,
    }
    declared = [{"name": name, "type": avro} for name, (avro, _) in fields.items()]
    schema = {"type": "record", "name": f"F{uuid4().hex}", "fields": declared}
    registry = SchemaRegistry(Endpoint(stack.schema_registry_url))
    body = BytesIO()
    fastavro.schemaless_writer(body, schema, {name: value for name, (_, value) in fields.items()})
    return wire_value(registry.register(f"{schema['name']}-value", json.dumps(schema)), body.getvalue())


def test_what_ksqldb_skips_for_the_type_of_a_field_is_not_counted_and_what_it_reads_is(deployed: Stack) -> None:
    sender, texts = Sender(deployed), {"type": "array", "items": "string"}
    event = sender.event()
    others: list[dict[str, tuple[Any, Any]]] = [
        {"page": (texts, ["a"])},
        {"page": (["null", texts], None)},
        {"occurred_at": ("string", "2026-01-01")},
        {"user_id": (texts, [sender.user_id])},
    ]
    values = [foreign(deployed, sender, str(uuid4()), **fields) for fields in others]
    values.append(foreign(deployed, sender, event["event_id"], page=(texts, ["a"])))
    values.append(foreign(deployed, sender, str(uuid4())))
    await_letters(deployed, sender.send(*values))
    sender.send(event)
    exact(deployed)
    with psycopg.connect(deployed.postgres_dsn) as connection:
        rows = connection.execute("SELECT total_events FROM user_stats WHERE user_id = %s", (sender.user_id,))
        assert rows.fetchall() == [(2,)]


def test_a_record_from_the_epoch_is_read(deployed: Stack) -> None:
    sender = Sender(deployed)
    event = sender.event()
    producer = Producer({"bootstrap.servers": deployed.kafka_bootstrap_servers})
    producer.produce("user-events", sender.encode(event), sender.user_id, timestamp=1)
    assert producer.flush(30) == 0
    await_row(deployed, event)
    exact(deployed)


def test_statistics_that_postgresql_refuses_are_right_if_their_dead_letter_is(deployed: Stack) -> None:
    sender = Sender(deployed)
    most = {"event_type": "purchase", "amount": Decimal("9999999999.99"), "currency": "USD"}
    sender.send(sender.event(**most), sender.event(**most))

    def refused() -> bool:
        with psycopg.connect(deployed.postgres_dsn) as connection:
            row = connection.execute(
                "SELECT count(*) FROM dead_letter_queue WHERE connector = 'user-stats' AND event_key = %s",
                (sender.user_id.encode(),),
            ).fetchone()
        return row is not None and row[0] > 0

    wait_until(refused, awaiting="the dead letter of the statistics", timeout_seconds=60)
    exact(deployed)
    with damaging(deployed, "dead_letter_queue") as connection:
        connection.execute("DELETE FROM dead_letter_queue WHERE event_key = %s", (sender.user_id.encode(),))
        found = accounts(deployed)
    assert [user["user_id"] for user in found["details"]["users_mismatched"]] == [sender.user_id]
    exact(deployed)


def test_rows_whose_records_retention_removed_unread_are_not_proven_and_counted_all_the_same(deployed: Stack) -> None:
    sender = Sender(deployed)
    event = sender.event()
    ((partition, offset),) = sender.send(event)
    exact(deployed)
    with psycopg.connect(deployed.postgres_dsn, autocommit=True) as connection:
        # What the ledger looks like if the first verification came too late to read these two records.
        connection.execute(
            "DELETE FROM verified_records WHERE event_id IN ("
            'SELECT event_id FROM verified_records WHERE partition = %s AND "offset" IN (0, %s))',
            (partition, offset),
        )
        forget_sums(connection)
        connection.execute(
            "UPDATE verified_topics SET first_offset = 1, accounted_offset = 1 "
            "WHERE topic = 'user-events' AND partition = %s",
            (partition,),
        )
        connection.execute("UPDATE verified_rows SET before = NULL")
    for found in (exact(deployed), exact(deployed)):
        assert (found["unproven"], found["users_mismatched"]) == (2, 0)
    assert "not proven: 2 rows were written" in deployed.pipeline("verify").stdout
    assert exact(deployed, "--full")["unproven"] == 0


def test_a_dead_letter_that_was_deleted_is_missing_with_its_coordinates(deployed: Stack) -> None:
    sender = Sender(deployed)
    (sent,) = sender.send(sender.event(watched_percent=101))
    (letter,) = await_letters(deployed, [sent])
    exact(deployed)
    with damaging(deployed, "dead_letter_queue") as connection:
        connection.execute("DELETE FROM dead_letter_queue WHERE id = %s", (letter,))
        found = accounts(deployed)
    (missing,) = found["details"]["missing"]
    assert missing["position"] == place(*sent)
    assert missing["reason"].startswith("its dead letter dlq.user-events-0@")
    exact(deployed)


def test_a_dead_letter_that_never_reached_the_table_is_missing(deployed: Stack) -> None:
    sender, connector = Sender(deployed), Connector(deployed, "dead-letters")
    end = next(each["end"] for each in exact(deployed)["partitions"] if each["topic"] == "dlq.user-events")
    with connector.stopped():
        (sent,) = sender.send(sender.event(watched_percent=101))
        waiting = accounts(deployed, timeout_seconds=5)
        assert (waiting["missing"], waiting["in_flight"]) == (0, 1)
        connector.move_to("dlq.user-events", 0, end + 1)
    found = accounts(deployed)
    (missing,) = found["details"]["missing"]
    assert missing["position"] == place(*sent)
    assert missing["reason"] == f"its dead letter dlq.user-events-0@{end} is not in dead_letter_queue"
    with connector.stopped():
        connector.move_to("dlq.user-events", 0, end)
    exact(deployed)


def test_a_dead_letter_that_kafka_never_had_is_unexpected(deployed: Stack) -> None:
    with damaging(deployed, "dead_letter_queue") as connection:
        connection.execute(
            "INSERT INTO dead_letter_queue (source_topic, source_partition, source_offset, connector, id, stage, "
            "error_type, headers) VALUES ('user-events', 0, 999999, 'user-events', -1, 'TASK_PUT', 'x', '[]')"
        )
        found = accounts(deployed)
    assert found["details"]["unexpected"] == [
        {"where": "dead_letter_queue", "what": "user-events-0@999999", "user_id": None}
    ]


def replayed(stack: Stack, letter: int, *repair: str) -> None:
    outcome = stack.pipeline("dlq", "replay", "--id", str(letter), "--json", *repair)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_a_repaired_row_is_right_while_the_statistics_keep_the_original(deployed: Stack) -> None:
    sender = Sender(deployed)
    original = sender.event(event_type="purchase", amount=None, currency="USD")
    (sent,) = sender.send(original)
    (letter,) = await_letters(deployed, [sent])
    exact(deployed)
    replayed(deployed, letter, "--set", "amount=12.50")
    found = exact(deployed)
    assert found["details"]["letters"]["resolved"] >= 1
    with damaging(deployed, "user_events") as connection:
        connection.execute("UPDATE user_events SET amount = 12.51 WHERE event_id = %s", (original["event_id"],))
        (altered,) = accounts(deployed)["details"]["altered"]
        connection.execute("DELETE FROM user_events WHERE event_id = %s", (original["event_id"],))
        gone = accounts(deployed)
    assert altered["position"].startswith("user-events.retry.user-events-")
    assert (altered["expected"], altered["actual"]) == ({"amount": 12.5}, {"amount": 12.51})
    reasons = {missing["reason"] for missing in gone["details"]["missing"]}
    assert f"dead letter {letter} is resolved, but there is no row" in reasons
    exact(deployed, "--full")


def test_a_replay_that_the_sink_skipped_is_missing(deployed: Stack) -> None:
    sender, connector = Sender(deployed), Connector(deployed, "user-events")
    (sent,) = sender.send(sender.event(watched_percent=101))
    (letter,) = await_letters(deployed, [sent])
    exact(deployed)
    kafka, retries = Kafka({"bootstrap.servers": deployed.kafka_bootstrap_servers}), "user-events.retry.user-events"
    before = kafka.ends(retries)
    with connector.stopped():
        outcome = deployed.pipeline(
            "dlq", "replay", "--id", str(letter), "--set", "watched_percent=100", "--timeout", "0"
        )
        assert outcome.returncode == 0, outcome.stderr
        # Only there: a position beyond a partition's end makes the sink begin that partition again.
        ((partition, end),) = kafka.ends(retries).items() - before.items()
        connector.move_to(retries, partition, end)
    found = accounts(deployed)
    (missing,) = found["details"]["missing"]
    assert missing["position"].startswith("user-events.retry.user-events-")
    assert missing["reason"] == "replayed, but no row and no new failure"
    with connector.stopped():
        connector.move_to(retries, partition, before[partition])
    exact(deployed)


def test_an_event_that_was_sent_again_with_other_content_is_the_row_that_was_written_last(deployed: Stack) -> None:
    sender, connector = Sender(deployed), Connector(deployed, "user-events")
    event = sender.event()
    sender.send(event, {**event, "watched_percent": 60})
    exact(deployed)
    with connector.stopped():
        ((partition, offset),) = sender.send({**event, "watched_percent": 70})
        connector.move_to("user-events", partition, offset + 1)
    (altered,) = accounts(deployed)["details"]["altered"]
    assert altered["position"] == place(partition, offset)
    assert (altered["expected"], altered["actual"]) == ({"watched_percent": 70}, {"watched_percent": 60})
    with connector.stopped():
        connector.move_to("user-events", partition, offset)
    exact(deployed)


def test_markers_of_transactions_are_no_records(deployed: Stack) -> None:
    sender = Sender(deployed)
    before = exact(deployed)
    producer = Producer(
        {"bootstrap.servers": deployed.kafka_bootstrap_servers, "transactional.id": f"test-{uuid4().hex}"}
    )
    producer.init_transactions(30)
    for commit in (True, False):
        producer.begin_transaction()
        producer.produce("user-events", sender.encode(sender.event()), sender.user_id)
        producer.flush(30)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
    after = exact(deployed)
    assert after["records"] - before["records"] == 1
    markers = [sum(each["markers"] for each in found["partitions"]) for found in (before, after)]
    assert markers[1] - markers[0] == 3  # two markers, and the record that was taken back


def test_a_range_of_time_leaves_out_what_was_sent_outside_of_it(deployed: Stack) -> None:
    sender = Sender(deployed)
    old, new = sender.event(), sender.event()
    sender.send(old)
    exact(deployed)
    now = datetime.now(UTC)
    between = now.replace(microsecond=now.microsecond // 1000 * 1000)  # Kafka knows no more than milliseconds
    sender.send(new)
    exact(deployed)
    with damaging(deployed, "user_events") as connection:
        connection.execute("DELETE FROM user_events WHERE event_id = %s", (old["event_id"],))
        assert accounts(deployed)["missing"] == 1
        since = exact(deployed, "--since", between.isoformat())
        until = accounts(deployed, "--until", between.isoformat())
    assert since["records"] == 1
    assert until["missing"] == 1
    usage = deployed.pipeline("verify", "--since", "1h", "--until", "2h")
    assert usage.returncode == 2
    assert "--since must be before --until" in usage.stderr


def test_what_was_verified_is_not_read_again_unless_it_is_asked_for(deployed: Stack) -> None:
    exact(deployed)
    with psycopg.connect(deployed.postgres_dsn, autocommit=True) as connection:
        row = connection.execute("UPDATE verified_statistics SET sessions = sessions + 1 RETURNING true").fetchone()
        assert row is not None
    assert accounts(deployed, timeout_seconds=20)["users_mismatched"] > 0
    exact(deployed, "--full")


def test_verifying_without_its_tables_says_what_to_do(stack: Stack, deployed: Stack) -> None:
    del deployed
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE erasures RENAME TO erasures_away")
        try:
            outcome = stack.pipeline("verify")
        finally:
            connection.execute("ALTER TABLE erasures_away RENAME TO erasures")
    assert outcome.returncode == 1
    assert "run `pipeline deploy --only table`" in outcome.stderr


def test_the_report_as_json_has_the_contracts_keys(deployed: Stack) -> None:
    document = json.loads(deployed.pipeline("verify", "--json").stdout)
    contract = {"ok", "records", "distinct_events", "rows", "dead_letters", "in_flight", "missing", "unexpected"}
    contract |= {"users", "users_mismatched"}
    assert contract <= document.keys()
    assert all(isinstance(document[name], int) for name in contract)
