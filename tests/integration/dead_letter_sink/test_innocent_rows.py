"""What the dead letter sink does not do: refuse rows for others beside them, or put an older one over a newer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Stack
from tests.integration.dead_letter_sink.sink import DELEGATES, FIELDS, Sink, row

MOMENT = {
    "field": "moment",
    "type": "int64",
    "name": "org.apache.kafka.connect.data.Timestamp",
    "version": 1,
    "optional": True,
}
YEAR_12000_MS = 316_516_032_000_000
MUST_BE_STAMPED = """
ALTER TABLE {0} ADD stamped_at timestamptz NOT NULL;
CREATE FUNCTION {0}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stamped_at := now(); RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT ON {0} FOR EACH ROW EXECUTE FUNCTION {0}()
"""

ONE_BY_ONE = """
CREATE FUNCTION {0}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM written) > 1 THEN RAISE EXCEPTION 'one row at a time'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER one_by_one AFTER INSERT ON {0} REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION {0}()
"""


@pytest.fixture(params=sorted(DELEGATES))
def by_name(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Sink]:
    """A sink whose rows are known by a name that is a UUID to PostgreSQL and a text to Kafka."""
    table = "CREATE TABLE {} (id bigint, name uuid PRIMARY KEY, quantity integer, metadata jsonb)"
    yield from running(Sink(stack, DELEGATES[request.param], table, {"primary.key.fields": "name"}))


@pytest.fixture(params=sorted(DELEGATES))
def narrow(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Sink]:
    """A sink whose names have ten characters at most."""
    table = "CREATE TABLE {} (id bigint PRIMARY KEY, name varchar(10), quantity integer, metadata jsonb)"
    yield from running(Sink(stack, DELEGATES[request.param], table))


@pytest.fixture(params=sorted(DELEGATES))
def terse(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Sink]:
    """A sink whose dead letters have five kilobytes at most."""
    limit = {"producer.override.max.request.size": "5000"}
    yield from running(Sink(stack, DELEGATES[request.param], settings=limit))


def running(sink: Sink) -> Iterator[Sink]:
    sink.create()
    yield sink
    sink.delete()


def test_rows_that_the_table_numbers_itself_are_not_refused_with_the_bad_one_among_them(sink: Sink) -> None:
    sink.execute("ALTER TABLE {} ADD number bigint GENERATED ALWAYS AS IDENTITY")
    sink.produce([row(1), row(2, quantity=-1), row(3)])
    sink.await_ids({1, 3})
    assert [letter["row"]["id"] for letter in sink.dead_letters(1)] == [2]


def test_rows_that_a_trigger_completes_are_not_refused_with_the_bad_one_among_them(sink: Sink) -> None:
    sink.execute(MUST_BE_STAMPED)
    sink.produce([row(1), row(2, quantity=-1), row(3)])
    sink.await_ids({1, 3})
    assert [letter["row"]["id"] for letter in sink.dead_letters(1)] == [2]


def test_rows_that_a_trigger_refuses_together_are_not_refused_one_by_one(sink: Sink) -> None:
    sink.execute(ONE_BY_ONE)
    sink.produce([row(1), row(2)])
    sink.await_ids({1, 2})
    assert sink.dead_letters(0) == []


def test_of_a_row_that_comes_twice_beside_a_bad_one_the_last_counts_whatever_the_probe_thinks_of_the_first(
    sink: Sink,
) -> None:
    # In the year 12,000 the probe's text is none that PostgreSQL reads, and the delegates' is.
    sink.execute("ALTER TABLE {} ADD moment timestamptz")
    doubted = row(5, name="first", moment=YEAR_12000_MS)
    sink.produce([doubted, row(5, name="last", moment=0), row(6, quantity=-1, moment=0)], [*FIELDS, MOMENT])
    sink.await_rows("id, name", [(5, "last")])
    assert [letter["row"]["id"] for letter in sink.dead_letters(1)] == [6]
    assert sink.execute("SELECT id, name FROM {}") == [(5, "last")]


def test_rows_that_cannot_be_written_together_are_written_one_after_the_other(by_name: Sink) -> None:
    spelled = "0000000a-0000-0000-0000-00000000000a"
    by_name.produce([row(1, name=spelled), row(2, name=spelled.upper()), row(3, name=spelled.upper())])
    by_name.await_ids({3})
    by_name.produce([row(4, name=spelled, quantity=2**40)])
    assert [letter["row"]["id"] for letter in by_name.dead_letters(1)] == [4]


def test_a_row_that_an_altered_column_takes_is_not_refused_by_what_the_session_remembers(narrow: Sink) -> None:
    narrow.produce([row(1)])
    narrow.await_ids({1})
    narrow.produce([row(1, quantity=2)])
    narrow.await_rows("id, quantity", [(1, 2)])
    narrow.execute("ALTER TABLE {} ALTER name TYPE varchar(20)")
    narrow.produce([row(1, name="of nineteen letters")])
    narrow.await_rows("id, name", [(1, "of nineteen letters")])
    narrow.produce([row(2, quantity=2**40)])
    assert [letter["row"]["id"] for letter in narrow.dead_letters(1)] == [2]


def test_a_letter_that_the_producer_refuses_fails_the_task_and_is_sent_once_it_can_be(terse: Sink) -> None:
    terse.produce([row(1), row(2, quantity=-1, metadata=f'{{"a": "{"x" * 10_000}"}}'), row(3)])
    assert f"The dead letter of {terse.name}-0@1 cannot be written" in terse.await_failure()

    terse.settings.clear()
    terse.configure()
    assert [letter["row"]["id"] for letter in terse.dead_letters(1)] == [2]
    terse.await_ids({1, 3})
