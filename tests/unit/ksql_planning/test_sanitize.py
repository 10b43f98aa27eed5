"""Sanitized queries read as ksqlDB repeats them."""

from __future__ import annotations

import pytest

from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_query
from embedded.ksql.language.parser import parse
from embedded.ksql.planning.interface import CatalogView
from embedded.ksql.planning.sanitize import sanitize_query


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "SELECT id, COUNT(*), SUM(v) AS t FROM ev WHERE v > 4 GROUP BY id EMIT CHANGES;",
            (
                "SELECT\n  EV.ID ID,\n  COUNT(*) KSQL_COL_0,\n  SUM(EV.V) T\nFROM EV EV\nWHERE (EV.V > 4)\n"
                "GROUP BY EV.ID\nEMIT CHANGES"
            ),
        ),
        ("SELECT * FROM ev EMIT CHANGES;", "SELECT *\nFROM EV EV\nEMIT CHANGES"),
        (
            (
                "SELECT e.id, b.v, name, st->f, ARRAY[1] FROM ev e JOIN ev2 b WITHIN 1 HOUR ON e.id = b.id "
                "JOIN users ON e.id = users.id;"
            ),
            (
                "SELECT\n  E.ID E_ID,\n  B.V B_V,\n  USERS.NAME NAME,\n  E.ST->F F,\n  ARRAY[1] KSQL_COL_0\nFROM EV E\n"
                "INNER JOIN EV2 B WITHIN 1 HOURS ON ((E.ID = B.ID))\nINNER JOIN USERS USERS ON ((E.ID = USERS.ID))"
            ),
        ),
        (
            "SELECT id, WINDOWSTART AS ws, FILTER(a, x => x > v) FROM ev;",
            "SELECT\n  EV.ID ID,\n  WINDOWSTART WS,\n  FILTER(EV.A, X => (X > EV.V)) KSQL_COL_0\nFROM EV EV",
        ),
    ],
)
def test_columns_are_qualified_and_expressions_named(catalog: CatalogView, text: str, expected: str) -> None:
    (parsed,) = parse(text)
    assert isinstance(parsed.statement, ast.Query)
    once = sanitize_query(parsed.statement, catalog)
    assert format_query(once) == expected
    assert sanitize_query(once, catalog) == once
