"""Reading JSON as leniently as ksqlDB does, and no more leniently."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.functions.casts import parse_decimal, parse_double, parse_whole
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_maps import keys_in_order
from embedded.ksql.functions.numbers import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    LONG_MIN,
    fit_exactly,
    wrap_int,
    wrap_long,
)
from embedded.ksql.functions.shapes import element_of
from embedded.ksql.types import Base, SqlType

Reader: TypeAlias = Callable[[Any], Any]

_ABSENT = object()


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)

# Values that need no conversion, by type of column: tested in the compiled code before any call is made.
_AS_IS = {
    Base.STRING: "type({v}) is str",
    Base.BOOLEAN: "{v} is True or {v} is False",
    Base.INTEGER: "type({v}) is int and -2147483648 <= {v} <= 2147483647",
    Base.DATE: "type({v}) is int and -2147483648 <= {v} <= 2147483647",
    Base.TIME: "type({v}) is int and -2147483648 <= {v} <= 2147483647",
    Base.BIGINT: "type({v}) is int and -9223372036854775808 <= {v} <= 9223372036854775807",
    Base.TIMESTAMP: "type({v}) is int and -9223372036854775808 <= {v} <= 9223372036854775807",
}


def reader_of(kind: SqlType) -> Reader:
    """Return the conversion of one parsed JSON value (floats parsed as Decimal); null is null.

    The conversion raises EvaluationError.
    """
    convert = _conversion(kind)
    return lambda value: None if value is None else convert(value)


def fields_reader(fields: list[tuple[str, SqlType]]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """Return the function that takes the fields, in any case, out of a parsed JSON object."""
    scope: dict[str, Any] = {"absent": _ABSENT, "folded": _folded}
    lines = ["def read(document):", "    get = document.get"]
    lines += [f"    v{index} = get({name!r}, absent)" for index, (name, _) in enumerate(fields)]
    if fields:
        lines.append("    if " + " or ".join(f"v{index} is absent" for index in range(len(fields))) + ":")
        lines.append("        upper = folded(document)")
    for index, (name, _) in enumerate(fields):
        lines.append(f"        if v{index} is absent: v{index} = upper.get({name!r})")
    for index, (_, kind) in enumerate(fields):
        scope[f"r{index}"] = reader_of(kind)
        as_is = _AS_IS.get(kind.base)
        test = f" or {as_is.format(v=f'v{index}')}" if as_is else ""
        lines.append(f"    if not (v{index} is None{test}): v{index} = r{index}(v{index})")
    lines.append("    return (" + "".join(f"v{index}, " for index in range(len(fields))) + ")")
    exec("\n".join(lines), scope)  # noqa: S102 - names of our own making; field names only as repr() of a str
    read: Callable[[dict[str, Any]], tuple[Any, ...]] = scope["read"]
    return read


def _folded(document: dict[str, Any]) -> dict[str, Any]:
    return {name.upper(): value for name, value in document.items()}


def _conversion(kind: SqlType) -> Reader:
    match kind.base:
        case Base.ARRAY:
            item = reader_of(element_of(kind))
            return lambda value: [item(element) for element in _expect(value, list, kind)]
        case Base.MAP:
            return _map_reader(kind)
        case Base.STRUCT:
            names = [name for name, _ in kind.fields]
            read = fields_reader(list(kind.fields))
            return lambda value: dict(zip(names, read(_expect(value, dict, kind)), strict=True))
        case Base.DECIMAL:
            return lambda value: _read_decimal(value, kind)
        case base:
            return _SCALARS[base]


def _map_reader(kind: SqlType) -> Reader:
    item = reader_of(element_of(kind))

    def read(value: Any) -> dict[str, Any]:
        entries = _expect(value, dict, kind)
        return {key: item(entries[key]) for key in keys_in_order(entries)}

    return read


def _expect(value: Any, shape: type, kind: SqlType) -> Any:
    if isinstance(value, shape):
        return value
    raise EvaluationError(f"Can't convert type. sourceType: {_json_type(value)}, requiredType: {kind}")


def _json_type(value: Any) -> str:
    names = {str: "text", bool: "boolean", dict: "object", list: "array"}
    return names.get(type(value), "number")


def _read_whole(wrap: Callable[[int], int], low: int, high: int) -> Reader:
    def read(value: Any) -> int:
        if type(value) is int:
            return value if low <= value <= high else wrap(value)
        if isinstance(value, str):
            return parse_whole(value, low, high)
        if isinstance(value, Decimal):
            return wrap(int(value))
        raise EvaluationError(f"Can't convert {_json_type(value)} to a whole number")

    return read


def _read_double(value: Any) -> float:
    if isinstance(value, str):
        return parse_double(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise EvaluationError(f"Can't convert {_json_type(value)} to DOUBLE")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _read_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise EvaluationError(f"Can't convert type. sourceType: {_json_type(value)}, requiredType: BOOLEAN")


def _read_decimal(value: Any, kind: SqlType) -> Decimal:
    if isinstance(value, str):
        return fit_exactly(parse_decimal(value), kind.precision, kind.scale)
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return fit_exactly(Decimal(value), kind.precision, kind.scale)
    raise EvaluationError(f"Can't convert type. sourceType: {_json_type(value)}, requiredType: {kind}")


def read_text(value: Any) -> str:
    """Return any JSON value as the text that a STRING column gets."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return compact(value)
    if isinstance(value, list):
        return "[" + ", ".join("null" if item is None else read_text(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def compact(value: Any) -> str:
    """Return JSON text without spaces; Decimals as they were written."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quote(str(k))}:{compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if isinstance(value, str):
        return _quote(value)
    return "null" if value is None else read_text(value)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _read_bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise EvaluationError(f"Can't convert type. sourceType: {_json_type(value)}, requiredType: BYTES")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EvaluationError(f"BYTES must be base64 text: {error}") from error


_READ_INT = _read_whole(wrap_int, INT_MIN, INT_MAX)
_READ_LONG = _read_whole(wrap_long, LONG_MIN, LONG_MAX)

_SCALARS: dict[Base, Reader] = {
    Base.BOOLEAN: _read_boolean,
    Base.INTEGER: _READ_INT,
    Base.BIGINT: _READ_LONG,
    Base.DOUBLE: _read_double,
    Base.STRING: read_text,
    Base.BYTES: _read_bytes,
    Base.TIMESTAMP: _READ_LONG,
    Base.DATE: _READ_INT,
    Base.TIME: _READ_INT,
}


def parse_first(text: str) -> Any:
    """Return the JSON value that a text begins with, whatever follows it. Raises DeserializationError."""
    try:
        return _DECODER.raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError) as error:
        raise DeserializationError(f"not JSON: {error}") from error


def parse(text: str | bytes) -> Any:
    """Return the parsed JSON, numbers with a point as Decimal. Raises DeserializationError."""
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode())
    except (ValueError, RecursionError) as error:
        raise DeserializationError(f"not JSON: {error}") from error
