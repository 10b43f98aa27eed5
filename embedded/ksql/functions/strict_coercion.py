"""What INSERT INTO … VALUES makes of a value for a column of another type: only what loses nothing.

Numbers widen, decimals must fit without rounding, text becomes times and bytes; the same holds inside collections.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from embedded.ksql.functions import partial_times
from embedded.ksql.functions.java_maps import arranged
from embedded.ksql.functions.numbers import fit_exactly
from embedded.ksql.functions.shapes import element_of, key_of
from embedded.ksql.types import Base, SqlType

_TO_DECIMAL = {Base.INTEGER, Base.BIGINT, Base.DECIMAL}


class MisfitError(ValueError):
    """A value does not fit the column's type."""


def coerced(value: Any, kind: SqlType, target: SqlType) -> Any:
    """Return the value for a column of the target type. Raises MisfitError, or what reading text raises."""
    if value is None or kind == target:
        return value
    if kind.base is target.base and kind.base in _COLLECTIONS:
        return _COLLECTIONS[kind.base](value, kind, target)
    if target.base is Base.DECIMAL and kind.base in _TO_DECIMAL:
        return fit_exactly(Decimal(value), target.precision, target.scale)
    convert = _CONVERSIONS.get((kind.base, target.base))
    if convert is None:
        raise MisfitError
    return convert(value)


def _array(value: Any, kind: SqlType, target: SqlType) -> Any:
    return [coerced(item, element_of(kind), element_of(target)) for item in value]


def _map(value: Any, kind: SqlType, target: SqlType) -> Any:
    keys, items = (key_of(kind), key_of(target)), (element_of(kind), element_of(target))
    return arranged({coerced(key, *keys): coerced(item, *items) for key, item in value.items()})


def _struct(value: Any, kind: SqlType, target: SqlType) -> Any:
    known = dict(kind.fields)
    return {name: coerced(value[name], known[name], field) if name in known else None for name, field in target.fields}


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


_COLLECTIONS: dict[Base, Callable[[Any, SqlType, SqlType], Any]] = {
    Base.ARRAY: _array,
    Base.MAP: _map,
    Base.STRUCT: _struct,
}
_CONVERSIONS: dict[tuple[Base, Base], Callable[[Any], Any]] = {
    (Base.INTEGER, Base.BIGINT): int,
    (Base.INTEGER, Base.DOUBLE): float,
    (Base.BIGINT, Base.DOUBLE): float,
    (Base.DECIMAL, Base.DOUBLE): float,
    (Base.STRING, Base.TIMESTAMP): lambda text: partial_times.parse_timestamp(text.strip()),
    (Base.STRING, Base.DATE): lambda text: partial_times.parse_date(text.strip()),
    (Base.STRING, Base.TIME): lambda text: partial_times.parse_time(text.strip()),
    (Base.STRING, Base.BYTES): lambda text: _bytes(text.strip()),
}
