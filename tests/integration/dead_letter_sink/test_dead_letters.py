"""What the dead letter sink does with rows that PostgreSQL refuses, against real servers, whoever writes them."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer
from psycopg import sql

from pipeline.waiting import wait_until
from tests.conftest import Stack
from tests.integration.dead_letter_sink.sink import CONNECTOR_CLASS, DELEGATES, FIELDS, TABLE, WAIT_SECONDS, Sink, row

BAD_ROWS: dict[str, dict[str, Any]] = {
    "22P05": {"metadata": r'{"page": "\u0000"}'},
    "23514": {"quantity": -1},
    "23502": {"name": None},
    "22003": {"quantity": 2**40},
    "22021": {"name": "a\x00b"},
    "22P02": {"metadata": "no JSON"},
}

WITH_MOMENT = TABLE.replace("metadata jsonb", "metadata jsonb, moment timestamptz")


def test_each_refused_row_becomes_one_dead_letter_with_its_sqlstate_and_all_others_arrive(sink: Sink) -> None:
    bad = {number * 100 + 7: (state, BAD_ROWS[state]) for number, state in enumerate(BAD_ROWS)}
    sink.produce([row(number, **bad[number][1]) if number in bad else row(number) for number in range(1000)])

    sink.await_ids(set(range(1000)) - set(bad))
    letters = sink.dead_letters(len(bad))

    assert sorted(letter["row"]["id"] for letter in letters) == sorted(bad)
    for letter in letters:
        assert letter["stage"] == "TASK_PUT"
        assert letter["topic"] == sink.name
        assert letter["connector.name"] == sink.name
        assert letter["offset"] == str(letter["row"]["id"])
        assert f"SQLState {bad[letter['row']['id']][0]}: " in letter["exception.message"]


def test_a_bad_row_after_a_bad_batch_is_found_too(sink: Sink) -> None:
    sink.produce([row(1), row(2, quantity=-1)])
    sink.await_ids({1})
    sink.produce([row(3, metadata="{"), row(4), row(5, name=None)])
    sink.await_ids({1, 4})

    assert sorted(letter["row"]["id"] for letter in sink.dead_letters(3)) == [2, 3, 5]


def test_a_missing_column_fails_the_task_with_a_message_naming_it_until_the_table_has_it(sink: Sink) -> None:
    sink.produce([row(1)])
    sink.await_ids({1})

    # A table that only a pattern takes for ours has the column.
    looks_alike = sql.Identifier(sink.name.replace("_", "x"))
    with sink.connect() as connection:
        connection.execute(sql.SQL("CREATE TABLE {} (favourite_colour text)").format(looks_alike))
    colour = {"field": "favourite_colour", "type": "string", "optional": True}
    sink.produce([row(2, favourite_colour="red")], [*FIELDS, colour])

    trace = sink.await_failure()
    assert f"table {sink.name} has no column favourite_colour" in trace

    sink.execute("ALTER TABLE {} ADD favourite_colour text")
    sink.await_ids({1, 2})


def test_a_missing_table_fails_the_task_with_a_message_naming_it(sink: Sink) -> None:
    sink.execute("DROP TABLE {}")

    sink.produce([row(1)])

    assert f"table {sink.name} does not exist" in sink.await_failure()


def test_a_database_that_refuses_connections_is_waited_for_without_dead_letters(sink: Sink) -> None:
    sink.produce([row(1)])
    sink.await_ids({1})
    with sink.connect() as connection:
        table = sql.Identifier(sink.name)
        # An exclusive lock and a short lock_timeout are SQLState 55P03 in the sink's sessions.
        connection.execute(sql.SQL("ALTER ROLE CURRENT_USER SET lock_timeout = '200ms'"))
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
            with connection.transaction():
                connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table))
                sink.produce([row(number) for number in range(2, 100)])
                connection.execute("SELECT pg_sleep(5)")
        finally:
            connection.execute(sql.SQL("ALTER ROLE CURRENT_USER RESET lock_timeout"))
    sink.await_ids(set(range(1, 100)))
    sink.produce([row(100, quantity=-1)])

    assert [letter["row"]["id"] for letter in sink.dead_letters(1)] == [100]
    assert [task["state"] for task in sink.status()["tasks"]] == ["RUNNING"]


def test_an_ill_database_is_logged_once_a_minute_and_not_with_every_attempt(sink: Sink) -> None:
    sink.produce([row(1)])
    sink.await_ids({1})
    log = sink.stack.state_dir / "logs" / "connect.log"
    before = log.stat().st_size
    with sink.connect() as connection, connection.transaction():
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(sink.name)))
        sink.produce([row(2)])
        for attempt in range(4):
            wait_until(sink.end_waiting_sessions, awaiting=f"attempt {attempt}", timeout_seconds=WAIT_SECONDS)
    sink.await_ids({1, 2})

    with log.open("rb") as stream:
        stream.seek(before)
        lines = [line for line in stream.read().decode(errors="replace").splitlines() if f"[{sink.name}|" in line]
    said = [line for line in lines if " WARN " in line or " ERROR " in line]
    assert len(said) == 1
    assert "The database cannot write just now" in said[0]
    assert not any("name 2" in line for line in lines)


def test_a_row_that_only_an_index_refuses_becomes_a_dead_letter(sink: Sink) -> None:
    sink.execute("CREATE INDEX ON {} (name)")
    too_long = "".join(uuid.uuid4().hex for _ in range(500))

    sink.produce([row(number, **({"name": too_long} if number == 50 else {})) for number in range(100)])

    sink.await_ids(set(range(100)) - {50})
    (letter,) = sink.dead_letters(1)
    assert "SQLState 54000: " in letter["exception.message"]


def test_what_a_trigger_refuses_becomes_a_dead_letter_with_its_words(sink: Sink) -> None:
    with sink.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN IF NEW.id = 7 THEN RAISE EXCEPTION 'seven is not wanted'; END IF; RETURN NEW; END $$; "
                "CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
            ).format(function=sql.Identifier(f"{sink.name}_refuse"), table=sql.Identifier(sink.name))
        )

    sink.produce([row(number) for number in range(20)])

    sink.await_ids(set(range(20)) - {7})
    (letter,) = sink.dead_letters(1)
    assert "seven is not wanted" in letter["exception.message"]


@pytest.mark.parametrize("spelled", ["quantity", "QUANTITY"])
def test_a_type_that_does_not_fit_fails_the_task_with_table_and_column(sink: Sink, spelled: str) -> None:
    sink.execute("ALTER TABLE {} DROP COLUMN quantity, ADD COLUMN quantity date")

    sink.produce([{"id": 1, "name": "a", spelled: 1}], [*FIELDS[:2], {**FIELDS[2], "field": spelled}])

    trace = sink.await_failure()
    assert "SQLState 42804" in trace
    assert sink.name in trace
    assert 'column "quantity" is of type date' in trace.lower()


def test_a_type_that_never_fits_is_a_dead_letter_where_records_of_another_schema_do_fit(stack: Stack) -> None:
    sink = Sink(stack, DELEGATES["copy"], table=WITH_MOMENT)
    sink.create()
    moment = {"field": "moment", "type": "int64", "optional": True}
    declared = {**moment, "name": "org.apache.kafka.connect.data.Timestamp", "version": 1}
    sink.produce([row(1, moment=0)], [*FIELDS, declared])
    sink.await_ids({1})
    sink.produce([row(2, moment=0)], [*FIELDS, moment])
    sink.produce([row(3, moment=0)], [*FIELDS, declared])
    sink.await_ids({1, 3})
    (letter,) = sink.dead_letters(1)
    assert (letter["row"]["id"], "SQLState 22" in letter["exception.message"]) == (2, True)
    sink.delete()


def test_a_list_where_the_table_has_a_text_becomes_a_dead_letter(stack: Stack) -> None:
    sink = Sink(stack, DELEGATES["copy"])
    sink.create()
    texts = {"type": "array", "items": {"type": "string", "optional": False}, "optional": True}
    sink.produce([row(1)])
    sink.produce([row(2, name=["a", "b"])], [FIELDS[0], {**texts, "field": "name"}, *FIELDS[2:]])
    sink.produce([row(3)])
    sink.await_ids({1, 3})
    (letter,) = sink.dead_letters(1)
    assert "field name has the type array, which the COPY sink does not write" in letter["exception.message"]
    sink.delete()


def test_a_null_in_the_primary_key_becomes_a_dead_letter(sink: Sink) -> None:
    sink.produce([row(1), {**row(2), "id": None}, row(3)], [{**FIELDS[0], "optional": True}, *FIELDS[1:]])

    sink.await_ids({1, 3})
    (letter,) = sink.dead_letters(1)
    assert letter["row"]["name"] == "name 2"
    assert "SQLState 23502: " in letter["exception.message"]


def test_records_without_key_or_value_become_dead_letters_where_the_settings_say_so(sink: Sink) -> None:
    producer = Producer({"bootstrap.servers": sink.stack.kafka_bootstrap_servers})
    producer.produce(sink.name, key="1", value=None)
    assert producer.flush(30) == 0
    sink.produce([row(2)], keyless=True)
    sink.produce([row(3)])

    sink.await_ids({3})
    messages = sorted(letter["exception.message"] for letter in sink.dead_letters(2))
    assert messages[0].startswith("the key is null")
    assert messages[1].startswith("the value is null")


def test_the_sink_counts_what_it_did_for_jmx(sink: Sink) -> None:
    sink.produce([row(1), row(2, quantity=-1), row(3, name=None), row(4, name=None)])
    sink.await_ids({1})
    assert len(sink.dead_letters(3)) == 3
    metrics = sink.metrics()
    assert metrics["written"] == 1
    assert metrics["retried"] == 0
    assert (metrics["23514"], metrics["23502"]) == (1, 2)
    assert metrics["isolation_seconds"] > 0


def test_validation_names_the_faults_of_the_delegates_settings_too(stack: Stack) -> None:
    settings = Sink(stack).configuration() | {"delegate.class": "no.such.Sink"}
    url = f"{stack.connect_url}/connector-plugins/{CONNECTOR_CLASS}/config/validate"

    unknown_delegate = httpx.put(url, json=settings, timeout=60).raise_for_status().json()
    del settings["delegate.class"]
    wrong_size = httpx.put(url, json=settings | {"batch.size": "many"}, timeout=60).raise_for_status().json()
    fine = httpx.put(url, json=settings, timeout=60).raise_for_status().json()

    assert _faults(unknown_delegate) == {"delegate.class"}
    assert _faults(wrong_size) == {"batch.size"}
    assert _faults(fine) == set()


def _faults(validation: dict[str, Any]) -> set[str]:
    values = [config["value"] for config in validation["configs"] if config["value"]]
    return {value["name"] for value in values if value["errors"]}
