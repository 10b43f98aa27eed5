"""Array functions, lambdas over arrays among them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_maps import DEFAULT_CAPACITY, arranged
from embedded.ksql.functions.java_order import order
from embedded.ksql.functions.registry import scalar

arrays = partial(scalar, category="ARRAY")
lambdas = partial(scalar, category="LAMBDA")


@arrays("ARRAY_LENGTH", "ARRAY<T> array -> INT", "Returns the length of an array.")
def array_length(values: list[Any]) -> int:
    """Return the number of elements."""
    return len(values)


@arrays("ARRAY_CONTAINS", "ARRAY<T> array, T val -> BOOLEAN", "Tells whether an array contains a value.", strict=False)
def array_contains(values: list[Any] | None, value: Any) -> bool:
    """Return whether the value is an element; a null array contains nothing."""
    return values is not None and value in values


def _distinct(values: list[Any]) -> list[Any]:
    seen: list[Any] = []
    for value in values:
        if value not in seen:
            seen.append(value)
    return seen


@arrays("array_distinct", "ARRAY<T> array -> ARRAY<T>", "Returns the distinct elements, in order of appearance.")
def array_distinct(values: list[Any]) -> list[Any]:
    """Return every element once, null too."""
    return _distinct(values)


@arrays("array_except", "ARRAY<T> left, ARRAY<T> right -> ARRAY<T>", "Returns the elements that another array lacks.")
def array_except(left: list[Any], right: list[Any]) -> list[Any]:
    """Return the distinct elements of the left array that the right one lacks."""
    return [value for value in _distinct(left) if value not in right]


@arrays("array_intersect", "ARRAY<T> left, ARRAY<T> right -> ARRAY<T>", "Returns the elements that two arrays share.")
def array_intersect(left: list[Any], right: list[Any]) -> list[Any]:
    """Return the distinct elements of the left array that the right one has, too."""
    return [value for value in _distinct(left) if value in right]


@arrays("array_union", "ARRAY<T> left, ARRAY<T> right -> ARRAY<T>", "Returns the distinct elements of two arrays.")
def array_union(left: list[Any], right: list[Any]) -> list[Any]:
    """Return the distinct elements of both."""
    return _distinct([*left, *right])


@arrays("array_concat", "ARRAY<T> left, ARRAY<T> right -> ARRAY<T>", "Concatenates two arrays.", strict=False)
def array_concat(left: list[Any] | None, right: list[Any] | None) -> list[Any] | None:
    """Return both arrays in one; a null array is an empty one, unless both are null."""
    if left is None or right is None:
        return right if left is None else left
    return [*left, *right]


@arrays("array_remove", "ARRAY<T> array, T victim -> ARRAY<T>", "Removes all elements equal to a value.", strict=False)
def array_remove(values: list[Any] | None, victim: Any) -> list[Any] | None:
    """Return the elements that differ from the victim."""
    return None if values is None else [value for value in values if value != victim]


def _present(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


@arrays("array_max", "ARRAY<T> array -> T", "Returns the maximum of an array.")
def array_max(values: list[Any]) -> Any:
    """Return the highest element that is not null."""
    return max(_present(values), key=order, default=None)


@arrays("array_min", "ARRAY<T> array -> T", "Returns the minimum of an array.")
def array_min(values: list[Any]) -> Any:
    """Return the lowest element that is not null."""
    return min(_present(values), key=order, default=None)


@arrays("array_sort", "ARRAY<T> array -> ARRAY<T>", "Sorts an array.")
@arrays("array_sort", "ARRAY<T> array, VARCHAR direction -> ARRAY<T>", "Sorts an array.")
def array_sort(values: list[Any], direction: str = "ASC") -> list[Any] | None:
    """Return the elements sorted, nulls last; null for an unknown direction."""
    if direction.upper() not in {"ASC", "ASCENDING", "DESC", "DESCENDING"}:
        return None
    present = sorted(_present(values), key=order, reverse=direction.upper().startswith("DESC"))
    return present + [None] * (len(values) - len(present))


@arrays("slice", "ARRAY<T> in, INT from, INT to -> ARRAY<T>", "Returns a part of an array.", strict=False)
def array_slice(values: list[Any] | None, start: int | None, end: int | None) -> list[Any] | None:
    """Return elements from a position to another, both counted from 1 and included; null beyond the array."""
    if values is None:
        return None
    low, high = 0 if start is None else start - 1, len(values) if end is None else end
    return values[low:high] if 0 <= low <= high <= len(values) else None


@arrays("generate_series", "INT start, INT end -> ARRAY<INT>", "Returns the numbers between two numbers.")
@arrays("generate_series", "INT start, INT end, INT step -> ARRAY<INT>", "Returns every step-th number.")
@arrays("generate_series", "BIGINT start, BIGINT end -> ARRAY<BIGINT>", "Returns the numbers between two numbers.")
@arrays("generate_series", "BIGINT start, BIGINT end, INT step -> ARRAY<BIGINT>", "Returns every step-th number.")
def generate_series(start: int, end: int, step: int | None = None) -> list[int]:
    """Return start, start + step, … up to the end, which is included."""
    by = step if step is not None else (1 if end >= start else -1)
    if by == 0:
        raise EvaluationError("GENERATE_SERIES step cannot be zero")
    if (end - start) * by < 0:
        raise EvaluationError("GENERATE_SERIES step has wrong sign")
    return list(range(start, end + (1 if by > 0 else -1), by))


@lambdas("transform", "ARRAY<T> array, LAMBDA(T) => R -> ARRAY<R>", "Applies a lambda to every element.")
def transform(values: list[Any], function: Callable[[Any], Any]) -> list[Any]:
    """Return the results of the lambda."""
    return [function(value) for value in values]


@lambdas(
    "transform",
    "MAP<K, V> map, LAMBDA(K, V) => R, LAMBDA(K, V) => S -> MAP<R, S>",
    "Applies two lambdas to every entry.",
)
def transform_map(
    entries: dict[Any, Any], key: Callable[[Any, Any], Any], value: Callable[[Any, Any], Any]
) -> dict[Any, Any]:
    """Return the map of new keys and values; two equal new keys are an error, and so is a null value."""
    result = {key(k, v): value(k, v) for k, v in entries.items()}
    if len(result) < len(entries):
        raise EvaluationError("TRANSFORM made the same key of two entries")
    return _collected(result)


def _collected(entries: dict[Any, Any]) -> dict[Any, Any]:
    """Return what Java collects into a map. Raises EvaluationError for a null value, which it does not take."""
    if None in entries.values():
        raise EvaluationError("a null value cannot be collected into a map")
    return arranged(entries, DEFAULT_CAPACITY)


def _accepted(answer: bool | None) -> bool:
    if answer is None:
        raise EvaluationError("FILTER's lambda gave null")
    return answer


@lambdas("filter", "ARRAY<T> array, LAMBDA(T) => BOOLEAN -> ARRAY<T>", "Keeps the elements a lambda accepts.")
def filter_array(values: list[Any], accept: Callable[[Any], Any]) -> list[Any]:
    """Return the elements for which the lambda is true; a null from it is an error."""
    return [value for value in values if _accepted(accept(value))]


@lambdas("filter", "MAP<K, V> map, LAMBDA(K, V) => BOOLEAN -> MAP<K, V>", "Keeps the entries a lambda accepts.")
def filter_map(entries: dict[Any, Any], accept: Callable[[Any, Any], Any]) -> dict[Any, Any]:
    """Return the entries for which the lambda is true; a null from it is an error."""
    return _collected({key: value for key, value in entries.items() if _accepted(accept(key, value))})


@lambdas("reduce", "ARRAY<T> array, S initial, LAMBDA(S, T) => S -> S", "Folds an array with a lambda.", strict=False)
def reduce_array(values: list[Any] | None, state: Any, step: Callable[[Any, Any], Any]) -> Any:
    """Return the last state; of a null array the initial one."""
    if state is None:
        return None
    for value in values or ():
        state = step(state, value)
    return state


@lambdas("reduce", "MAP<K, V> map, S initial, LAMBDA(S, K, V) => S -> S", "Folds a map with a lambda.", strict=False)
def reduce_map(entries: dict[Any, Any] | None, state: Any, step: Callable[[Any, Any, Any], Any]) -> Any:
    """Return the last state; of a null map the initial one."""
    if state is None:
        return None
    for key, value in (entries or {}).items():
        state = step(state, key, value)
    return state


@scalar("explode", "ARRAY<T> list -> T", "Makes a row of every element.", category="TABLE", strict=False, is_table=True)
def explode(values: list[Any] | None) -> list[Any] | None:
    """Return the rows: the elements themselves."""
    return values


@scalar(
    "cube_explode",
    "ARRAY<T> columns -> ARRAY<T>",
    "Makes a row of every combination of the columns and null.",
    category="TABLE",
    is_table=True,
)
def cube_explode(columns: list[Any]) -> list[list[Any]]:
    """Return all distinct combinations in which each column stands as it is or as null."""
    rows: list[list[Any]] = [[]]
    for column in columns:
        choices = [None] if column is None else [None, column]
        rows = [[*row, choice] for row in rows for choice in choices]
    return rows
