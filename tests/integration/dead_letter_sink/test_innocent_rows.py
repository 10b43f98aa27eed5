"""What the dead letter sink does not do: refuse rows for others beside them, or put an older one over a newer."""

from __future__ import annotations

from tests.integration.dead_letter_sink.sink import Sink, row

MUST_BE_STAMPED = """
ALTER TABLE {0} ADD stamped_at timestamptz NOT NULL;
CREATE FUNCTION {0}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stamped_at := now(); RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT ON {0} FOR EACH ROW EXECUTE FUNCTION {0}()
"""


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
