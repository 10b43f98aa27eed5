"""What ksqlDB says of queries it does not run."""
# ruff: noqa: E501 - one case a line

from __future__ import annotations

from collections.abc import Callable

import pytest

from embedded.ksql.errors import KsqlError, ServerError, StatementError
from embedded.ksql.planning.plan import Sink

SCHEMA = "Could not determine output schema for query due to error: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT id, nope FROM ev", "Line: 1, Col: 31: SELECT column 'NOPE' cannot be resolved."),
        ("SELECT id, v FROM ev WHERE nope = 1", "Line: 1, Col: 47: WHERE column 'NOPE' cannot be resolved."),
        ("SELECT id, v FROM ev WHERE v", "Type error in WHERE expression: Should evaluate to boolean but is V (INTEGER) instead."),
        ("SELECT id, v FROM ev WHERE s = 5", "Error in WHERE expression: Cannot compare S (STRING) to 5 (INTEGER) with EQUAL."),
        ("SELECT id, v AS x, s AS x FROM ev", "Duplicate value columns found in schema: `X` STRING"),
        ("SELECT v FROM ev", "Key missing from projection (ie, SELECT). \nThe query used to build `O` must include the key column ID in its projection (eg, SELECT ID...)."),
        ("SELECT id, id AS b, v FROM ev", "The projection contains a key column (`ID`) more than once, aliased as: B and ID."),
        ("SELECT id FROM ev", "The projection contains no value columns."),
        ("SELECT id, ROWTIME FROM ev", "Reserved column name in select: `ROWTIME`. Please remove or alias the column."),
        ("SELECT id, v FROM ev WINDOW TUMBLING (SIZE 1 MINUTE)", "Line: 1, Col: 48: WINDOW clause requires a GROUP BY clause."),
        ("SELECT id, COUNT(*) FROM ev", "Non-aggregate SELECT expression(s) not part of GROUP BY: ID\n"),
        ("SELECT COUNT(*) FROM ev", "CREATE STREAM AS SELECT statement does not support aggregate function [COUNT(ROWTIME)] without a GROUP BY clause."),
        ("SELECT id, s, COUNT(*) FROM ev GROUP BY id", "Non-aggregate SELECT expression(s) not part of GROUP BY: S\n"),
        ("SELECT id, COUNT(*) AS n FROM ev GROUP BY id HAVING v > 1", "Non-aggregate HAVING expression not part of GROUP BY: V\n"),
        ("SELECT id FROM ev GROUP BY id", "GROUP BY requires aggregate functions in either the SELECT or HAVING clause."),
        ("SELECT id, SUM(COUNT(*)) FROM ev GROUP BY id", "Aggregate functions can not be nested: SUM(COUNT())"),
        ("SELECT name, MAX(pts) FROM users GROUP BY name", "The aggregation function MAX cannot be applied to a table source, only to a stream source."),
        ("SELECT id, COUNT(*) FROM ev GROUP BY id EMIT FINAL", "EMIT FINAL is only supported for windowed aggregations."),
        ("SELECT id, n FROM per_minute", "KSQL does not support persistent queries on windowed tables."),
        ("SELECT ev.id, w FROM ev JOIN wide WITHIN 1 HOUR ON ev.id = wide.id", "Can't join `EV` with `WIDE` since the number of partitions don't match. `EV` partitions = 1; `WIDE` partitions = 4."),
        ("SELECT ev.id AS id, b.v FROM ev JOIN ev b WITHIN 1 HOUR ON ev.id = b.id", "Can not join 'EV' to 'EV': self joins are not yet supported."),
        ("SELECT ev.id, name FROM users JOIN ev ON ev.id = users.id", "Invalid join order: table-stream joins are not supported; only stream-table joins. Got USERS [INNER] JOIN EV."),
        ("SELECT ev.id, name FROM ev JOIN users ON ev.id = ev.s", "Each side of the join must reference exactly one source and not the same source. Left side references `EV` and right references `EV`"),
        ("SELECT u.id AS id, boss FROM users u JOIN teams t ON u.id = t.boss", "Invalid join condition: table-table joins require to join on the primary key of the right input table."),
        ("SELECT ev.id AS id, windowed.v FROM ev JOIN windowed WITHIN 1 HOUR ON ev.id = windowed.id", "Can not join windowed source to non-windowed source.\n`EV` is not windowed\n`WINDOWED` is SESSION windowed"),
        ("SELECT id, EXPLODE(pts) AS e FROM users", "Table source is not supported with table functions"),
        ("SELECT NULL AS x, id FROM ev", "Can't infer a type of null. Please explicitly cast it to a required type"),
        ("SELECT id, v AS rowtime FROM ev", "`ROWTIME` is a reserved column name. You cannot use it as an alias for a column."),
        ("SELECT u.id, u.nope FROM users u", "Line: 1, Col: 33: SELECT column 'U.NOPE' cannot be resolved."),
        ("SELECT s, COUNT(*) AS n, s AS t FROM ev GROUP BY s", "The projection contains a key column more than once: `S` and `T`."),
        ("SELECT s AS n, COUNT(*) AS n FROM ev GROUP BY s", "Duplicate value columns found in schema: `N` BIGINT"),
        ("SELECT v, COUNT(*) AS n FROM ev GROUP BY v, s", "Key missing from projection (ie, SELECT). \nThe query used to build `O` must include the grouping expression S in its projection (eg, SELECT S...)."),
        ("SELECT id, SUM(1 + MAX(v)) FROM ev GROUP BY id", "Aggregate functions can not be nested: SUM(MAX())"),
        ("SELECT id, EXPLODE(EXPLODE(a)) AS e FROM ev", "Table functions cannot be nested: `EXPLODE`(`EXPLODE`())"),
        ("SELECT id, CASE WHEN ok THEN EXPLODE(a) ELSE 1 END AS e FROM ev", "Table functions cannot be used in CASE: (CASE WHEN OK THEN EXPLODE(A) ELSE 1 END)"),
        ("SELECT id, COUNT(*) AS n FROM ev WINDOW TUMBLING (SIZE 1 MINUTE)", "Non-aggregate SELECT expression(s) not part of GROUP BY: ID\n"),
        ("SELECT id, v FROM ev WHERE ok AND v", "Type error in WHERE expression: Should evaluate to boolean but is (OK AND V) (INTEGER) instead."),
        ("SELECT id, v[1] AS x FROM ev", "Subscript expression (V[1]) do not apply to INTEGER."),
        ("SELECT id, st['F'] AS x FROM ev", "Subscript expression (ST['F']) do not apply to STRUCT<`F` INTEGER, `G` STRING>. Use the dereference operator for STRUCTS: ST->'F'"),
        ("SELECT id, MIN(pts) AS a, MAX(pts) AS b FROM users GROUP BY id", "The aggregation functions MIN and MAX cannot be applied to a table source, only to a stream source."),
        ("SELECT id, SUM(v) AS n FROM ev GROUP BY id HAVING SUM(v) > 'x'", "Error in HAVING expression: Cannot compare SUM(V) (INTEGER) to 'x' (STRING) with GREATER_THAN."),
        ("SELECT id, LATEST_BY_OFFSET(v, v) AS n FROM ev GROUP BY id", "Parameter 2 passed to function LATEST_BY_OFFSET must be a literal constant, but was expression: 'V'"),
        ("SELECT ev.v FROM ev JOIN ev2 ON ev.id = ev2.id", "Key missing from projection (ie, SELECT). \n"),
        ("SELECT ev.id, ev2.v AS w FROM ev JOIN ev2 ON ev.id = ev2.id", "Stream-Stream joins must have a WITHIN clause specified. None was provided."),
        ("SELECT ev.id, name FROM ev RIGHT JOIN users ON ev.id = users.id", "Invalid join type encountered: RIGHT [OUTER] JOIN"),
        ("SELECT MAX(pts) AS n FROM users GROUP BY name", "Key missing from projection (ie, SELECT). \n"),
        ("SELECT v FROM ev WHERE v LIKE '1%'", "Key missing from projection (ie, SELECT). \n"),
        ("SELECT id, MIN(windowstart) AS n FROM ev WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY id", "Window bounds column WINDOWSTART can only be used in the SELECT clause of windowed aggregations"),
        ("SELECT id, COUNT(*) AS n FROM ev WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY id, windowend", "Window bounds column WINDOWEND can only be used in the SELECT clause of windowed aggregations"),
        ("SELECT id, COUNT(*) AS n FROM ev WINDOW TUMBLING (SIZE 1 MINUTE) WHERE windowend > 9 GROUP BY id", "Error in WHERE expression: Unknown column WINDOWEND."),
        ("SELECT id, v FROM ev PARTITION BY NULL, v", "Cannot PARTITION BY multiple columns including NULL"),
        ("SELECT v + 1 AS w, s FROM ev PARTITION BY w", "Line: 1, Col: 62: PARTITION BY column 'W' cannot be resolved. 'W' must be a column in the source schema since PARTITION BY is applied on the input."),
        ("SELECT id, COUNT(*) AS n FROM windowed GROUP BY id", "Group by on windowed should always require rekey"),
        ("SELECT * FROM windowed PARTITION BY v", "Implicit repartitioning of windowed sources is not supported. See https://github.com/confluentinc/ksql/issues/4385."),
        ("SELECT w.id, x.v FROM windowed w JOIN windowed2 x WITHIN 1 DAY ON w.v = x.v", "Implicit repartitioning of windowed sources is not supported."),
        ("SELECT w.id, x.v FROM tumbled w JOIN tumbled2 x WITHIN 1 DAY ON w.id = x.id", "Implicit repartitioning of windowed sources is not supported."),
        ("SELECT w.id, w.WINDOWSTART AS WINDOWSTART, x.v FROM windowed w JOIN windowed2 x WITHIN 1 DAY ON w.id = x.id", "Reserved column name in select: `WINDOWSTART`."),
        ("SELECT ev.id, name, boss FROM ev JOIN users ON ev.s = users.name JOIN teams ON ev.id = ev.id", "Each side of the join must reference exactly one source and not the same source."),
        ("SELECT w.id, x.v FROM windowed w JOIN tumbled x WITHIN 1 DAY ON w.id = x.id", "Incompatible windowed sources.\nLeft source: SESSION\nRight source: TUMBLING\n"),
        ("SELECT id, LEAST(NULL, NULL) AS n FROM ev", "Function 'least' cannot be resolved due to ambiguous method parameters (null, null)."),
        ("SELECT id, TIMESTAMPADD(DAYS, v, v) AS n FROM ev", "Function 'timestampadd' does not accept parameters (INTERVALUNIT, INTEGER, INTEGER)."),
        ("SELECT id, LEAST(*) AS n FROM ev", "Function 'least' does not accept parameters ()."),
        ("SELECT raw.v, COUNT(*) AS n FROM raw GROUP BY raw.v", "Source(s) RAW are using the 'KAFKA' value format. This format does not yet support GROUP BY."),
        ("SELECT ev.id, ev2.v FROM ev JOIN ev2 WITHIN 1 DAY ON ev.id = 'a'", "Invalid comparison expression ''a'' in join '(EV.ID = 'a')'. Each side of the join comparision must contain references from exactly one source."),
        ("SELECT ev.id, ev2.v FROM ev JOIN ev2 WITHIN 1 DAY ON ev.id = ev2.id AND ev.v = ev2.v", "Invalid join condition: joins on multiple conditions are not yet supported. Got ((EV.ID = EV2.ID) AND (EV.V = EV2.V))."),
        ("SELECT u.id AS id, boss FROM users u JOIN teams t ON u.pts = t.id", "Invalid join condition: types don't match. Got U.PTS{INTEGER} = T.ID{STRING}."),
        ("SELECT name, boss FROM users u JOIN teams t ON u.name = t.id", "Primary key column missing in projection. For foreign-key table-table joins, the projection must include all primary key columns from the left input table (`U`). Missing column: `ID`."),
        ("SELECT u.id AS id, boss FROM users u RIGHT JOIN teams t ON u.name = t.id", "RIGHT OUTER JOIN on a foreign key is not supported"),
        ("SELECT u.id AS id, boss FROM users u FULL JOIN teams t ON u.name = t.id", "Invalid join type: full-outer join not supported for foreign-key table-table join. Got USERS [FULL] OUTER JOIN TEAMS."),
        ("SELECT ev.id, u.name FROM ev JOIN users u ON ev.id = u.id JOIN users w ON ev.id = w.id", "N-way joins do not support multiple occurrences of the same source. Source: 'USERS'"),
        ("SELECT ev.id, u.name, t.boss FROM ev JOIN users u ON ev.id = u.id JOIN teams t ON ev.id = u.id", "A join criteria is expected to reference the source (`T`) in the FROM clause, instead the right source references `U` and the left source references `EV`"),
        ("SELECT ev.*, ev2.* FROM ev FULL JOIN ev2 WITHIN 1 DAY ON ev.id = ev2.id", "Key missing from projection (ie, SELECT). \nThe query used to build `O` must include the join expression ROWKEY"),
    ],
)  # fmt: skip
def test_schema_errors_are_wrapped(plan: Callable[[str], Sink], text: str, message: str) -> None:
    with pytest.raises(StatementError) as caught:
        plan(f"CREATE STREAM o AS {text};")
    assert caught.value.message.startswith(SCHEMA + message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CREATE STREAM o AS SELECT * FROM nowhere;", "Exception while preparing statement: NOWHERE does not exist."),
        (
            "CREATE STREAM o AS SELECT ev.id, v FROM ev JOIN ev2 WITHIN 1 HOUR ON ev.id = ev2.id;",
            "Exception while preparing statement: Line: 1, Col: 34: Column 'V' is ambiguous. Could be EV.V or EV2.V.",
        ),
        (
            "CREATE TABLE o AS SELECT id, COUNT(*) FROM ev WHERE COUNT(*) > 1 GROUP BY id;",
            "Invalid Predicate: Can't find any functions with the name 'COUNT'. expression: (COUNT(*) > 1), schema:`ID`",
        ),
        (
            "CREATE STREAM o AS SELECT id, v FROM ev WHERE EXPLODE(a) > 1;",
            "Invalid Predicate: Can't find any functions with the name 'EXPLODE'. expression: (EXPLODE(A) > 1), schema:`ID`",
        ),
        (
            "CREATE STREAM o AS SELECT id, x.v FROM ev;",
            "Failed to prepare statement: 'X' is not a valid stream/table name or alias.",
        ),
        (
            "CREATE TABLE o AS SELECT id, AVG(v) AS n FROM ev2 GROUP BY id;",
            "One of the functions used in the statement has an intermediate type that the value format can not handle.",
        ),
        (
            "CREATE TABLE o AS SELECT COUNT(*) AS n FROM ev GROUP BY s, ev.s;",
            "Exception while preparing statement: Duplicate GROUP BY expression: EV.S",
        ),
        (
            "CREATE TABLE o AS SELECT COUNT(*) AS n FROM ev GROUP BY s, s;",
            "Failed to prepare statement: Duplicate GROUP BY expression: S",
        ),
        (
            "CREATE STREAM o AS SELECT * FROM ev PARTITION BY ();",
            "Failed to prepare statement: PARTITION BY requires at least one expression",
        ),
        (
            "CREATE STREAM o AS SELECT id, TRANSFORM(a, v => v + 1) AS x FROM ev;",
            "Exception while preparing statement: Lambda function argument can't be a column name: V",
        ),
        (
            "CREATE STREAM o AS SELECT id, TRANSFORM(a, x => ARRAY_LENGTH(FILTER(a, x => x > 1))) AS x FROM ev;",
            "Exception while preparing statement: Reusing lambda arguments in nested lambda is not allowed",
        ),
        (
            "CREATE STREAM o AS SELECT id, DATE '2024-01-01' AS d FROM ev;",
            "Failed to prepare statement: Unknown type: DATE, location:Optional[Line: 1, Col: 31]",
        ),
        ("INSERT INTO ev2 SELECT id, s FROM ev;", "Incompatible schema between results and sink.\nResult schema is "),
        (
            "INSERT INTO users SELECT id, s FROM ev;",
            "Exception while preparing statement: INSERT INTO can only be used to insert into a stream. USERS is a table.",
        ),
        ("SELECT nope FROM ev EMIT CHANGES;", "Line: 1, Col: 8: SELECT column 'NOPE' cannot be resolved."),
    ],
)
def test_other_errors_are_not_wrapped(plan: Callable[[str], Sink], text: str, message: str) -> None:
    with pytest.raises(KsqlError) as caught:
        plan(text)
    assert caught.value.message.startswith(message)


def test_a_result_of_the_other_kind_is_refused_with_the_statement(plan: Callable[[str], Sink]) -> None:
    with pytest.raises(StatementError) as caught:
        plan("CREATE TABLE o AS SELECT id, v FROM ev;")
    assert caught.value.message == (
        f"{SCHEMA}Invalid result type. Your SELECT query produces a STREAM. "
        "Please use CREATE STREAM AS SELECT statement instead.\nStatement: THE TEXT"
    )


def test_a_key_format_that_cannot_hold_the_key_is_a_generic_error(plan: Callable[[str], Sink]) -> None:
    with pytest.raises(KsqlError) as caught:
        plan("CREATE TABLE o AS SELECT id, v, COUNT(*) AS n FROM ev GROUP BY id, v;")
    assert (caught.value.type, caught.value.error_code) == ("generic_error", 40000)
    assert caught.value.message == (
        "Key format does not support schema.\nformat: KAFKA\n"
        "schema: Persistence{columns=[`ID` STRING KEY, `V` INTEGER KEY], features=[]}\n"
        "reason: The 'KAFKA' format only supports a single field. Got: [`ID` STRING KEY, `V` INTEGER KEY]"
    )


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("HOPPING (SIZE 1 MINUTE, ADVANCE BY 2 MINUTES)", "Window advancement interval should be more than zero"),
        (
            "TUMBLING (SIZE 1 HOUR, RETENTION 1 HOUR, GRACE PERIOD 10 MINUTES)",
            (
                "The retention period of the window store Aggregate-Prepare must be no smaller than its window size plus "
                "the grace period. Got size=[3600000], grace=[600000], retention=[3600000]"
            ),
        ),
        (
            "TUMBLING (SIZE 1 HOUR, RETENTION 2 HOURS)",
            (
                "The retention period of the window store Aggregate-Prepare must be no smaller than its window size plus "
                "the grace period. Got size=[3600000], grace=[82800000], retention=[7200000]"
            ),
        ),
    ],
)
def test_impossible_windows_are_server_errors(plan: Callable[[str], Sink], window: str, message: str) -> None:
    with pytest.raises(ServerError) as caught:
        plan(f"CREATE TABLE o AS SELECT id, COUNT(*) AS n FROM ev WINDOW {window} GROUP BY id;")
    assert caught.value.message.startswith(message)
