"""What ksqlDB says of expressions that have no type."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from embedded.ksql.errors import StatementError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s->x", "Expected STRUCT type, got: STRING"),
        ("st->nope", "Could not find field 'NOPE' in 'ST'."),
        ("s = 5", "Cannot compare S (STRING) to 5 (INTEGER) with EQUAL.\nStatement: (S = 5)"),
        ("ok > TRUE", "Cannot compare OK (BOOLEAN) to true (BOOLEAN) with GREATER_THAN."),
        ("a < a", "Cannot compare A (ARRAY<INTEGER>) to A (ARRAY<INTEGER>) with LESS_THAN."),
        (
            "1 + NULL",
            "Error processing expression: (1 + null). Arithmetic on types INTEGER and null are not supported.",
        ),
        ("s - 1", "Error processing expression: (S - 1). Unsupported arithmetic types. STRING INTEGER"),
        ("CASE WHEN i THEN 1 END", "WHEN operand type should be boolean.\nType for 'I' is INTEGER"),
        (
            "CASE WHEN ok THEN m ELSE 0 END",
            (
                "Invalid Case expression. Type for the default clause should be the same as for 'THEN' clauses.\n"
                "THEN type: DECIMAL(8, 2).\nDEFAULT type: INTEGER."
            ),
        ),
        ("CASE WHEN ok THEN 1 WHEN NOT ok THEN 'x' END", "Invalid Case expression. Type for all 'THEN' clauses"),
        ("CASE s WHEN 'a' THEN 1 END", "not yet implemented: "),
        ("CAST(ok AS INT)", "Cast of BOOLEAN to INTEGER is not supported"),
        ("ARRAY[1, 'a']", 'invalid input syntax for type INTEGER: "a".'),
        ("i IN (1, 'a')", 'invalid input syntax for type INTEGER: "a".'),
        ("ARRAY[i, ok]", "operator does not exist: INTEGER = BOOLEAN (OK)"),
        ("ARRAY[st, a]", "operator does not exist: STRUCT<`F` INTEGER, `G` STRUCT<`H` STRING>> = ARRAY<INTEGER> (A)"),
        ("a IN (ARRAY['x'])", 'invalid input syntax for type INTEGER: "x".'),
        ("a IN (ARRAY[ok])", "operator does not exist: ARRAY<INTEGER> = ARRAY<BOOLEAN> (ARRAY[OK])"),
        ("s IN (m)", "operator does not exist: STRING = DECIMAL(8, 2) (M)"),
        ("NULL <> NULL", "Comparison with NULL not supported: NULL <> NULL\nUse 'IS NULL' or 'IS NOT NULL' instead."),
        ("STRUCT(x := 1, x := 2)", "Duplicate field names found in STRUCT"),
        ("ARRAY[NULL]", "Cannot construct an array with all NULL elements"),
        ("s[1]", "Subscript expression (S[1]) do not apply to STRING."),
        ("i = NULL", "Comparison with NULL not supported: INTEGER = NULL\n"),
        ("i LIKE 'x'", "LIKE needs STRING operands"),
        ("NOT i", "Operands of NOT should be BOOLEAN"),
        ("no_such", "Cannot find column `NO_SUCH`"),
        ("SHOUT(s)", "Can't find any functions with the name 'SHOUT'"),
        ("COUNT(i)", "Can't find any functions with the name 'COUNT'"),
    ],
)
def test_errors_are_ksqldbs(typed: Callable[[str], str], text: str, message: str) -> None:
    with pytest.raises(StatementError) as caught:
        typed(text)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ARRAY[1, 2.5]", "ARRAY<DECIMAL(11, 1)>"),
        ("ARRAY[1, '2']", "ARRAY<INTEGER>"),
        ("ARRAY[1, '2.5']", "ARRAY<DECIMAL(11, 1)>"),
        ("ARRAY['a', NULL]", "ARRAY<STRING>"),
        ("ARRAY[1, '2e3']", "ARRAY<DECIMAL(10, 0)>"),
        ("ARRAY[1, '5000000000']", "ARRAY<BIGINT>"),
        ("ARRAY[a, ARRAY[5000000000]]", "ARRAY<ARRAY<BIGINT>>"),
        ("ARRAY[a, ARRAY['7', NULL]]", "ARRAY<ARRAY<INTEGER>>"),
        ("ARRAY[mp, MAP('b' := l)]", "ARRAY<MAP<STRING, BIGINT>>"),
        ("ARRAY[mp, MAP('b' := 2.5)]", "ARRAY<MAP<STRING, DECIMAL(11, 1)>>"),
        ("ARRAY[STRUCT(x := 1), STRUCT(y := l, x := '2')]", "ARRAY<STRUCT<`X` INTEGER, `Y` BIGINT>>"),
        ("ARRAY[CAST(a AS ARRAY<BIGINT>), a]", "ARRAY<ARRAY<BIGINT>>"),
        ("ARRAY[CAST(mp AS MAP<STRING, BIGINT>), mp]", "ARRAY<MAP<STRING, BIGINT>>"),
        (
            "ARRAY[st, CAST(st AS STRUCT<f BIGINT, i INT>)]",
            "ARRAY<STRUCT<`F` BIGINT, `G` STRUCT<`H` STRING>, `I` INTEGER>>",
        ),
        ("ARRAY[1, 2E0]", "ARRAY<DOUBLE>"),
        ("MAP('a' := 1, 'b' := 5000000000)", "MAP<STRING, BIGINT>"),
        ("STRUCT(x := 1)", "STRUCT<`X` INTEGER>"),
        ("a[1]", "INTEGER"),
        ("mp['x']", "INTEGER"),
        ("CASE WHEN ok THEN NULL ELSE 5 END", "INTEGER"),
        ("CAST(NULL AS DOUBLE)", "DOUBLE"),
        ("NULL", "None"),
    ],
)
def test_types_of_collections_and_branches(typed: Callable[[str], str], text: str, kind: str) -> None:
    assert typed(text) == kind
