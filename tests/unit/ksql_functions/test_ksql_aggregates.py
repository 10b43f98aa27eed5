"""Aggregates: templates that agree with calls, undoing, merging, and ksqlDB's results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.ksql import types
from embedded.ksql.errors import StatementError
from embedded.ksql.functions.interface import QueryFailedError, ResolvedAggregate
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.types import SqlType

INTS = st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=12)


def resolve(name: str, kind: SqlType, *constants: Any) -> ResolvedAggregate:
    kinds = [types.BOOLEAN if isinstance(constant, bool) else types.INTEGER for constant in constants]
    return LIBRARY.resolve_aggregate(name, [kind, *kinds], constants)


def fold(aggregate: ResolvedAggregate, values: Sequence[Any]) -> Any:
    state = aggregate.initial()
    for value in values:
        state = aggregate.add(state, value)
    return state


def fold_inline(aggregate: ResolvedAggregate, values: Sequence[Any]) -> Any:
    assert aggregate.inline_initial is not None
    assert aggregate.inline_add is not None
    assert aggregate.inline_result is not None
    scope: dict[str, Any] = {"s": eval(aggregate.inline_initial)}
    for value in values:
        scope["x"] = value
        scope["s"] = eval(aggregate.inline_add.format("x", s="s"), scope)
    return eval(aggregate.inline_result.format(s="s"), scope)


INLINED = [
    ("COUNT", ()),
    ("SUM", ()),
    ("AVG", ()),
    ("MIN", ()),
    ("MAX", ()),
    ("EARLIEST_BY_OFFSET", ()),
    ("LATEST_BY_OFFSET", ()),
    ("EARLIEST_BY_OFFSET", (False,)),
    ("LATEST_BY_OFFSET", (False,)),
]


@pytest.mark.parametrize(("name", "constants"), INLINED)
def test_templates_compute_what_the_calls_compute(name: str, constants: tuple[Any, ...]) -> None:
    aggregate = resolve(name, types.INTEGER, *constants)

    @given(INTS)
    def check(values: list[int | None]) -> None:
        assert fold_inline(aggregate, values) == aggregate.result(fold(aggregate, values))

    check()


UNDOABLE = ["COUNT", "SUM", "AVG", "COLLECT_LIST", "ATTR"]


@pytest.mark.parametrize("name", UNDOABLE)
def test_undoing_a_row_leaves_the_others(name: str) -> None:
    aggregate = resolve(name, types.INTEGER)
    assert aggregate.supports_undo

    @given(INTS, st.none() | st.integers(0, 5))
    def check(values: list[int | None], extra: int | None) -> None:
        undone = aggregate.undo(aggregate.add(fold(aggregate, values), extra), extra)
        left, right = aggregate.result(undone), aggregate.result(fold(aggregate, values))
        assert (sorted(map(str, left)), 0) == (sorted(map(str, right)), 0) if isinstance(left, list) else left == right

    check()


@pytest.mark.parametrize("name", ["COUNT", "SUM", "MIN", "MAX", "COLLECT_LIST", "COLLECT_SET", "COUNT_DISTINCT", "AVG"])
def test_merged_sessions_equal_one_session(name: str) -> None:
    aggregate = resolve(name, types.INTEGER)

    @given(INTS, INTS)
    def check(left: list[int | None], right: list[int | None]) -> None:
        merged = aggregate.merge(fold(aggregate, left), fold(aggregate, right))
        assert aggregate.result(merged) == aggregate.result(fold(aggregate, [*left, *right]))

    check()


@given(st.lists(st.integers(-1000, 1000), max_size=20))
def test_stddev_samp_is_the_sample_variance_and_stddev_sample_its_root(values: list[int]) -> None:
    aggregate = resolve("STDDEV_SAMP", types.INTEGER)
    mean = sum(values) / len(values) if values else 0.0
    expected = sum((value - mean) ** 2 for value in values) / (len(values) - 1) if len(values) > 1 else 0.0
    assert math.isclose(aggregate.result(fold(aggregate, values)), expected, rel_tol=1e-9, abs_tol=1e-6)
    root = resolve("STDDEV_SAMPLE", types.INTEGER)
    assert math.isclose(root.result(fold(root, values)), math.sqrt(expected), rel_tol=1e-6, abs_tol=1e-3)


@pytest.mark.parametrize(
    ("name", "constants", "values", "result"),
    [
        ("SUM", (), [2**31 - 1, 1], -(2**31)),
        ("SUM", (), [None], 0),
        ("AVG", (), [None], 0.0),
        ("AVG", (), [1, None, 5], 3.0),
        ("TOPK", (3,), [2, 5, 5, None, 4], [5, 5, 4]),
        ("TOPKDISTINCT", (3,), [2, 5, 5, None, 4], [5, 4, 2]),
        ("COLLECT_SET", (), [2, None, 1, 2], [2, None, 1]),
        ("LATEST_BY_OFFSET", (2,), [1, None, 2, 3], [2, 3]),
        ("EARLIEST_BY_OFFSET", (2, False), [1, None, 2], [1, None]),
        ("COUNT_DISTINCT", (), [2, None, 1, 2], 2),
        ("STDDEV_SAMP", (), [123456789, 987654321, 55], 2.895899814388061e17),
    ],
)
def test_aggregates_give_ksqldbs_results(name: str, constants: tuple[Any, ...], values: list[Any], result: Any) -> None:
    aggregate = resolve(name, types.INTEGER, *constants)
    assert aggregate.result(fold(aggregate, values)) == result


def test_histogram_counts_null_as_text_and_forgets_what_is_undone() -> None:
    histogram = resolve("HISTOGRAM", types.STRING)
    state = fold(histogram, ["x", None, "x"])
    assert histogram.result(state) == {"x": 2, "null": 1}
    assert histogram.result(histogram.undo(state, None)) == {"x": 2}


def test_a_decimal_sum_keeps_its_type_and_fails_the_query_beyond_it() -> None:
    total = resolve("SUM", types.decimal(4, 2))
    assert str(total.result(fold(total, [None]))) == "0"
    assert str(total.result(fold(total, [Decimal("60.00"), Decimal("30.00")]))) == "90.00"
    with pytest.raises(QueryFailedError, match=r"SUM overflows DECIMAL\(4, 2\)"):
        fold(total, [Decimal("60.00"), Decimal("40.00")])


def test_a_table_may_not_be_aggregated_by_what_cannot_be_undone() -> None:
    for name in ("MIN", "MAX", "LATEST_BY_OFFSET", "COLLECT_SET"):
        assert not resolve(name, types.INTEGER).supports_undo


def test_an_aggregate_refuses_other_types_in_ksqldbs_words() -> None:
    with pytest.raises(StatementError) as refused:
        resolve("AVG", types.decimal(8, 2))
    assert refused.value.message.splitlines() == [
        "Function 'avg' does not accept parameters (DECIMAL(8, 2)).",
        "Valid alternatives are:",
        "avg(DOUBLE val1)",
        "avg(INT val1)",
        "avg(BIGINT val1)",
        "For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;",
    ]


def test_sum_is_described_as_ksqldb_does() -> None:
    described = LIBRARY.describe("sum")
    assert (described["name"], described["type"], described["author"]) == ("SUM", "AGGREGATE", "Confluent")
    assert [overload["argumentTypes"] for overload in described["functions"]] == [
        ["DECIMAL"],
        ["DOUBLE"],
        ["INT"],
        ["BIGINT"],
    ]
    assert {"name": "SUM", "type": "AGGREGATE", "category": "AGGREGATE"} in LIBRARY.names()


def test_text_is_ordered_by_code_unit_and_bytes_by_their_sign() -> None:
    late, early = "\uff01", "\U0001f600"  # in Java the surrogates of the second come first
    assert fold_inline(resolve("MAX", types.STRING), [early, late, "z", None]) == late
    assert fold(resolve("MAX", types.STRING), [late, early, "z"]) == late
    assert fold_inline(resolve("MIN", types.STRING), [late, early]) == early
    assert fold(resolve("MAX", types.BYTES), [b"\x80", b"\x01", None]) == b"\x01"
    assert fold(resolve("MIN", types.BYTES), [b"\x80", b"\x01"]) == b"\x80"
    top = resolve("TOPK", types.BYTES, 1)
    assert top.result(fold(top, [b"\x80", b"\x01"])) == [b"\x01"]


def test_undoing_takes_away_the_last_of_equal_values() -> None:
    collected = resolve("COLLECT_LIST", types.INTEGER)
    assert collected.undo([1, 2, 1, 3], 1) == [1, 2, 3]
    assert collected.undo([1, 2], 3) == [1, 2]


def test_merged_sessions_keep_the_first_of_the_latest_values() -> None:
    latest = resolve("LATEST_BY_OFFSET", types.INTEGER, 2)
    assert latest.merge([1, 2], [5, 6]) == [1, 2]


def test_merged_sessions_vary_between_means_that_stddev_samp_truncates() -> None:
    for name, expected in (("STDDEV_SAMP", (0.5 + 4.0) / 3), ("STDDEV_SAMPLE", math.sqrt((0.5 + 2.25) / 3))):
        varied = resolve(name, types.INTEGER)
        assert varied.result(varied.merge(fold(varied, [1, 2]), fold(varied, [3, 3]))) == expected


def test_correlation_of_what_does_not_vary_is_no_number() -> None:
    correlation = LIBRARY.resolve_aggregate("CORRELATION", [types.BIGINT, types.BIGINT], [])
    state = correlation.initial()
    for x, y in ((1, 2), (None, 3), (2, 2)):
        state = correlation.add(state, x, y)
    assert math.isnan(correlation.result(state))
    assert correlation.result(correlation.add(correlation.undo(state, 1, 2), 3, 4)) == 1.0
