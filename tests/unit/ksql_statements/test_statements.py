"""What statements change in the catalog, and what is refused with which text."""
# ruff: noqa: E501 - one case a line

from __future__ import annotations

import pytest

from embedded.ksql.cases.engine import Engine
from embedded.ksql.errors import KsqlError
from embedded.ksql.language.parser import parse
from embedded.ksql.statements.changes import Change, NothingToDo, TopicRequest, apply
from embedded.ksql.statements.prepare import prepare
from embedded.ksql.types import INTEGER


def change(engine: Engine, text: str, number: int = 7) -> Change:
    found = prepared(engine, text, number)
    assert isinstance(found, Change)
    return found


def prepared(engine: Engine, text: str, number: int = 7) -> Change | NothingToDo:
    (parsed,) = parse(text)
    return prepare(parsed, engine.catalog, engine.cluster, {}, number)


def refused(engine: Engine, text: str) -> KsqlError:
    with pytest.raises(KsqlError) as caught:
        prepared(engine, text)
    return caught.value


def test_a_query_is_printed_with_its_topic_and_gets_the_next_number(engine: Engine) -> None:
    made = change(engine, "CREATE TABLE latest AS SELECT id, MAX(v) AS top FROM ev GROUP BY id;")
    assert made.command_id == "table/`LATEST`/create"
    assert made.query_id == "CTAS_LATEST_7"
    assert made.topic == TopicRequest("LATEST", 1, 1, "compact", 604_800_000)
    assert made.text == (
        "CREATE TABLE LATEST WITH (CLEANUP_POLICY='compact', KAFKA_TOPIC='LATEST', PARTITIONS=1, REPLICAS=1, "
        "RETENTION_MS=604800000) AS SELECT\n  EV.ID ID,\n  MAX(EV.V) TOP\nFROM EV EV\nGROUP BY EV.ID\nEMIT CHANGES;"
    )


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t AS SELECT id, COUNT(*) FROM ev WINDOW TUMBLING (SIZE 1 DAY, RETENTION 9 DAYS) GROUP BY id;",
        "CREATE STREAM m (k INT KEY, v STRING) WITH (KAFKA_TOPIC='m', VALUE_FORMAT='JSON', PARTITIONS=3);",
        "CREATE SOURCE TABLE r (k INT PRIMARY KEY, v STRING) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');",
    ],
)
def test_a_canonical_text_can_be_prepared_again_and_stays_as_it_is(engine: Engine, text: str) -> None:
    first = change(engine, text)
    again = change(engine, first.text)
    assert (again.text, again.topic, again.declared, again.query_id) == (
        first.text,
        first.topic,
        first.declared,
        first.query_id,
    )


def test_a_window_that_lives_longer_than_its_source_decides_the_retention(engine: Engine) -> None:
    text = (
        "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM ev WINDOW TUMBLING (SIZE 1 DAY, RETENTION 9 DAYS) GROUP BY id;"
    )
    assert change(engine, text).topic == TopicRequest("T", 1, 1, "compact,delete", 9 * 86_400_000)


def test_a_read_only_table_has_a_query_that_writes_no_topic(engine: Engine) -> None:
    made = change(
        engine, "CREATE SOURCE TABLE r (k INT PRIMARY KEY, v STRING) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');"
    )
    assert made.started is not None
    assert (made.query_id, made.started.plan.topic, made.message) == ("CST_R_7", None, "Created query with ID CST_R_7")
    apply(made, engine.catalog)
    assert refused(engine, "DROP TABLE r DELETE TOPIC;").message == "Cannot delete topic for read-only source: R"


def test_replacing_a_query_keeps_its_id(engine: Engine) -> None:
    made = change(
        engine, "CREATE OR REPLACE TABLE counts AS SELECT id, COUNT(*) AS n FROM ev WHERE v > 0 GROUP BY id;", 9
    )
    assert made.query_id == "CTAS_COUNTS_2"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT id, COUNT(*) AS n, MAX(v) AS top FROM ev GROUP BY id",
            "must have matching aggregate functions. Values differ: [COUNT(ROWTIME)] vs. [COUNT(ROWTIME), MAX(V)]",
        ),
        (
            "SELECT id, COUNT(*) AS n FROM ev GROUP BY id HAVING COUNT(*) > 1",
            (
                "must have matching class. Values differ: class io.confluent.ksql.execution.plan.StreamAggregate vs. "
                "class io.confluent.ksql.execution.plan.TableFilter"
            ),
        ),
    ],
)
def test_a_query_whose_state_would_not_fit_is_not_replaced(engine: Engine, query: str, message: str) -> None:
    error = refused(engine, f"CREATE OR REPLACE TABLE counts AS {query};")
    head = "Query is not upgradeable. Plan step of type StreamAggregate "
    assert (error.type, error.message) == ("generic_error", head + message)


def test_a_source_can_grow_but_not_change(engine: Engine) -> None:
    columns = "id STRING KEY, v INT, s STRING, x INT"
    grown = f"CREATE OR REPLACE STREAM ev ({columns}) WITH (KAFKA_TOPIC='ev', VALUE_FORMAT='JSON');"
    assert change(engine, grown).declared is not None
    error = refused(engine, grown.replace("KAFKA_TOPIC='ev'", "KAFKA_TOPIC='other'"))
    assert error.message.startswith(
        "Cannot upgrade data source: DataSource '`EV`' has topic = KsqlTopic{kafkaTopicName='ev'"
    )
    assert error.statement_text.startswith("CREATE OR REPLACE STREAM EV (ID STRING KEY, V INTEGER")


def test_a_sink_with_two_writers_is_not_replaced(engine: Engine) -> None:
    apply(change(engine, "INSERT INTO big SELECT * FROM ev;"), engine.catalog)
    error = refused(engine, "CREATE OR REPLACE STREAM big AS SELECT * FROM ev WHERE v > 2;")
    assert "multiple queries writing into it: [CSAS_BIG_3, INSERTQUERY_7]" in error.message


def test_dropping_a_result_ends_its_query(engine: Engine) -> None:
    dropped = change(engine, "DROP TABLE counts DELETE TOPIC;")
    assert (dropped.dropped, dropped.deleted_topic, dropped.ended) == ("COUNTS", "COUNTS", ("CTAS_COUNTS_2",))
    assert dropped.text == "DROP TABLE COUNTS;"
    apply(dropped, engine.catalog)
    assert set(engine.catalog.sources) == {"EV", "BIG"}
    assert set(engine.catalog.queries) == {"CSAS_BIG_3"}


def test_what_is_in_use_is_not_dropped(engine: Engine) -> None:
    assert "streams and/or tables read from this source: [BIG, COUNTS]" in refused(engine, "DROP STREAM ev;").message
    apply(change(engine, "INSERT INTO big SELECT * FROM ev;"), engine.catalog)
    assert "queries write into this source: [INSERTQUERY_7]" in refused(engine, "DROP STREAM big;").message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TERMINATE ALL;", (("CTAS_COUNTS_2", "CSAS_BIG_3"), (), ())),
        ("terminate csas_big_3;", (("CSAS_BIG_3",), (), ())),
        ("PAUSE CSAS_BIG_3;", ((), ("CSAS_BIG_3",), ())),
        ("RESUME ALL;", ((), (), ("CTAS_COUNTS_2", "CSAS_BIG_3"))),
    ],
)
def test_queries_are_controlled_by_id_or_all_at_once(engine: Engine, text: str, expected: tuple[object, ...]) -> None:
    found = change(engine, text)
    assert (found.ended, found.paused, found.resumed) == expected


def test_a_custom_type_is_used_and_dropped(engine: Engine) -> None:
    engine.execute("CREATE TYPE whole AS INT;")
    engine.execute("CREATE STREAM typed (id STRING KEY, v WHOLE) WITH (KAFKA_TOPIC='typed', VALUE_FORMAT='JSON');")
    typed = engine.catalog.source("TYPED")
    assert typed is not None
    assert typed.schema.value[0].type == INTEGER
    assert "already registered with type: INTEGER" in refused(engine, "CREATE TYPE whole AS STRING;").message
    assert isinstance(prepared(engine, "CREATE TYPE IF NOT EXISTS whole AS STRING;"), NothingToDo)
    engine.execute("DROP TYPE whole;")
    assert refused(engine, "DROP TYPE whole;").message == "Type WHOLE does not exist."


def test_a_column_is_added_to_a_declared_source_only(engine: Engine) -> None:
    engine.execute("ALTER STREAM ev ADD COLUMN x INT;")
    altered = engine.catalog.source("EV")
    assert altered is not None
    assert [column.name for column in altered.schema.value] == ["V", "S", "X"]
    assert "already exists" in refused(engine, "ALTER STREAM ev ADD COLUMN v INT;").message
    assert "not supported for CREATE ... AS" in refused(engine, "ALTER STREAM big ADD COLUMN y INT;").message


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("VALUE_FORMAT='PROTOBUF'", "The PROTOBUF format is not supported by the embedded engine"),
        ("VALUE_FORMAT='JSON', VALUE_SCHEMA_ID=3", "VALUE_SCHEMA_ID: not supported by the embedded engine"),
        ("VALUE_FORMAT='JSON', FORMAT='JSON'", "Cannot supply both 'VALUE_FORMAT' and 'FORMAT' properties"),
        ("VALUE_FORMAT='JSON', CLEANUP_POLICY='compact'", "Users can't set the CLEANUP_POLICY config manually."),
        ("VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION', WINDOW_SIZE='1 DAY'", "should not be set for SESSION windows"),
        ("VALUE_FORMAT='JSON', WINDOW_TYPE='HOPPING', WINDOW_SIZE='soon'", "Invalid duration: 'soon'"),
        ("VALUE_FORMAT='JSON', WINDOW_TYPE='SLIDING'", "Invalid value SLIDING for property WINDOW_TYPE"),
        ("VALUE_FORMAT='JSON', WINDOW_SIZE='1 DAY'", "'WINDOW_SIZE' cannot be used without 'WINDOW_TYPE'"),
    ],
)
def test_a_with_clause_that_makes_no_sense_is_refused(engine: Engine, properties: str, message: str) -> None:
    text = f"CREATE STREAM x (id STRING KEY, v INT) WITH (KAFKA_TOPIC='x', {properties});"
    assert message in refused(engine, text).message


def test_key_columns_are_inferred_where_the_format_knows_them(engine: Engine) -> None:
    registry = engine.cluster.registry
    registry.register("clicks-key", '"string"')
    registry.register("clicks-value", '{"type":"record","name":"C","fields":[{"name":"n","type":"int"}]}')
    made = change(engine, "CREATE STREAM clicks WITH (KAFKA_TOPIC='clicks', FORMAT='AVRO');")
    assert made.text.startswith(
        "CREATE STREAM CLICKS (ROWKEY STRING KEY, N INTEGER) WITH (CLEANUP_POLICY='delete', FORMAT"
    )


def test_the_place_of_a_missing_insert_target_is_named(engine: Engine) -> None:
    error = refused(engine, "INSERT INTO\n  nowhere SELECT * FROM ev;")
    assert error.message == "Exception while preparing statement: Line: 2, Col: 3: Source `NOWHERE` does not exist."


def test_an_insert_may_name_its_query(engine: Engine) -> None:
    apply(change(engine, "INSERT INTO big WITH (QUERY_ID='mine') SELECT * FROM ev;"), engine.catalog)
    assert engine.catalog.query("mine") is not None
    assert (
        "Query ID 'MINE' already exists."
        in refused(engine, "INSERT INTO big WITH (QUERY_ID='mine') SELECT * FROM ev;").message
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "CREATE STREAM x (k MAP<STRING, INT> KEY, v INT) WITH (KAFKA_TOPIC='x', FORMAT='JSON');",
            "Map keys, including types that contain maps, are not supported",
        ),
        (
            "CREATE STREAM x (m MAP<INT, INT>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');",
            "Value format does not support schema.\nformat: AVRO",
        ),
        (
            "CREATE STREAM x (`1st` INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');",
            "Value format does not support schema.\nformat: AVRO",
        ),
        (
            "CREATE STREAM x (`a-b` INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');",
            "Value format does not support schema.\nformat: AVRO",
        ),
        (
            "CREATE STREAM x (k INT KEY, v INT) WITH (KAFKA_TOPIC='x', KEY_FORMAT='NONE', VALUE_FORMAT='JSON');",
            "Key format does not support schema.\nformat: NONE",
        ),
        (
            "CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', FORMAT='JSON', KEY_FORMAT='JSON');",
            "Cannot supply both 'KEY_FORMAT' and 'FORMAT' properties, as 'FORMAT' sets both key and value formats.",
        ),
        (
            "CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='DELIMITED', VALUE_DELIMITER='<>');",
            "Failed to prepare statement: Configuration VALUE_DELIMITER is invalid: Invalid delimiter value: '<>'.",
        ),
        (
            "CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='DELIMITED', VALUE_DELIMITER=' ');",
            "Failed to prepare statement: Configuration VALUE_DELIMITER is invalid: Delimiter cannot be empty",
        ),
        (
            "CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', VALUE_DELIMITER='|');",
            "JSON does not support the following configs: [delimiter]",
        ),
        (
            "CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO', VALUE_AVRO_SCHEMA_FULL_NAME=' ');",
            "fullSchemaName cannot be empty.",
        ),
        (
            "CREATE STREAM x (k INT KEY, v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='HOPPING', WINDOW_SIZE='3 moons');",
            "Failed to prepare statement: Configuration WINDOW_SIZE is invalid: Invalid duration: '3 moons'. Unknown time unit: 'MOONS'",
        ),
        (
            "CREATE STREAM x (k INT KEY, v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='HOPPING', WINDOW_SIZE='soon');",
            "Failed to prepare statement: Configuration WINDOW_SIZE is invalid: Invalid duration: 'soon'. Expected 2 tokens, got: 1",
        ),
        (
            "CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WRAP_SINGLE_VALUE='maybe');",
            "Failed to prepare statement: Invalid value maybe for property WRAP_SINGLE_VALUE: Expected value to be either",
        ),
        ("CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='');", "Unknown format: "),
        (
            "CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');",
            "Windowed sources require a key column.",
        ),
        (
            "CREATE STREAM x (v INT, h INT HEADER('a')) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');",
            "Failed to prepare statement: Invalid type for HEADER('a') column: expected BYTES, got INTEGER",
        ),
        (
            "CREATE STREAM x (v INT, h BYTES HEADER('a'), g BYTES HEADER('a')) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');",
            "Schema already contains a HEADER('a') column.",
        ),
        (
            "CREATE STREAM x (v STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='v');",
            "A String timestamp field has been specified without also specifying the timestamp_format",
        ),
        (
            "CREATE STREAM x (v BIGINT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='v', TIMESTAMP_FORMAT='yyyy');",
            "'TIMESTAMP_FORMAT' set in the WITH clause can only be used when the timestamp column is of type STRING.",
        ),
        (
            "CREATE STREAM x (v STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='v', TIMESTAMP_FORMAT='foo');",
            "Failed to prepare statement: Invalid datetime format for config:TIMESTAMP_FORMAT, reason:Unknown pattern letter: f",
        ),
        (
            "CREATE STREAM x WITH (TIMESTAMP='nope') AS SELECT v FROM ev;",
            "Could not determine output schema for query due to error: The TIMESTAMP column set in the WITH clause does not exist in the schema: 'NOPE'",
        ),
        (
            "CREATE STREAM x (v VARCHAR(KEYS)) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');",
            "line 1:28: Syntax Error\nExpecting {'STRING', INTEGER_VALUE}",
        ),
        (
            "CREATE STREAM x WITH (KEY_FORMAT='JSON') AS SELECT id, v FROM ev PARTITION BY NULL;",
            "Could not determine output schema for query due to error: Key format specified for stream without key columns.",
        ),
        (
            "CREATE OR REPLACE SOURCE STREAM x (v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');",
            "Cannot add stream 'X': CREATE OR REPLACE is not supported on source streams.",
        ),
        ("ALTER TABLE ev ADD COLUMN n INT;", "Incompatible data source type is STREAM, but statement was ALTER TABLE"),
        (
            "ALTER STREAM ev ADD COLUMN n INT, ADD COLUMN n INT;",
            "Cannot add column `N` to schema. A column with the same name already exists.",
        ),
        (
            "INSERT INTO ev WITH (QUERY_ID='csas_x') SELECT * FROM ev;",
            "Query IDs must not start with a reserved query ID prefix (INSERTQUERY_, CTAS_, CSAS_, CST_). Got 'CSAS_X'.",
        ),
        (
            "INSERT INTO ev WITH (QUERY_ID='an id') SELECT * FROM ev;",
            "Query IDs may contain only alphanumeric characters and '_'. Got: 'AN ID'",
        ),
        ("CREATE STREAM x AS SELECT id, 9223372036854775808 AS n FROM ev;", "Failed to prepare statement: line 1:32: "),
        (
            "CREATE STREAM x AS SELECT id, -9223372036854775809 AS n FROM ev;",
            "Failed to prepare statement: line 1:32: ",
        ),
        (
            "CREATE STREAM x AS SELECT id, 2E400 AS n FROM ev;",
            "Failed to prepare statement: line 1:32: Number overflows DOUBLE: 2E400",
        ),
        ("CREATE STREAM x AS SELECT id, v FROM ev PARTITION BY v AND s;", "line 1:56: Syntax Error"),
    ],
)
def test_what_sources_and_results_cannot_be_declared_as(engine: Engine, text: str, message: str) -> None:
    assert refused(engine, text).message.startswith(message)


def test_a_read_only_stream_takes_no_columns_and_no_queries_write_into_a_stream_with_headers(engine: Engine) -> None:
    engine.execute(
        "CREATE SOURCE STREAM r (k INT KEY, v STRING) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');"
        "CREATE STREAM h (id STRING KEY, v INT, x BYTES HEADER('x')) WITH (KAFKA_TOPIC='h', VALUE_FORMAT='JSON');"
    )
    altered = refused(engine, "ALTER STREAM r ADD COLUMN w INT;")
    assert altered.message == "Cannot alter stream 'R': ALTER operations are not supported on source streams."
    inserted = refused(engine, "INSERT INTO h SELECT id, v FROM ev;")
    assert inserted.message == "Cannot insert into H because it has header columns"


def test_the_smallest_bigint_is_a_literal_and_a_name_may_begin_with_a_digit(engine: Engine) -> None:
    made = change(engine, "CREATE STREAM x AS SELECT id, -9223372036854775808 AS n, v AS 2nd FROM ev;")
    assert made.declared is not None
    assert [str(column.type) for column in made.declared.schema.value] == ["BIGINT", "INTEGER"]
    assert made.declared.schema.value[1].name == "2ND"
