"""Writing JSON as ksqlDB does: declared order, no spaces, decimals as plain numbers with their scale."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, TypeAlias

from embedded.ksql.functions.java_text import double_text
from embedded.ksql.functions.shapes import element_of
from embedded.ksql.types import Base, SqlType

Writer: TypeAlias = Callable[[Any], str]


def _double(value: float) -> str:
    return double_text(value) if math.isfinite(value) else f'"{double_text(value)}"'


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _bytes(value: bytes) -> str:
    return '"' + base64.b64encode(value).decode("ascii") + '"'


def _key(value: Any) -> str:
    return encode_basestring("null" if value is None else str(value))


_SCALARS: dict[Base, Writer] = {
    Base.BOOLEAN: _boolean,
    Base.INTEGER: str,
    Base.BIGINT: str,
    Base.DOUBLE: _double,
    Base.STRING: encode_basestring,
    Base.BYTES: _bytes,
    Base.TIMESTAMP: str,
    Base.DATE: str,
    Base.TIME: str,
    Base.DECIMAL: lambda value: format(value, "f"),
}


def writer_of(kind: SqlType) -> Writer:
    """Return the function from a value that is not null to its JSON text."""
    match kind.base:
        case Base.ARRAY:
            item = _nullable(element_of(kind))
            return lambda value: "[" + ",".join(map(item, value)) + "]"
        case Base.MAP:
            item = _nullable(element_of(kind))
            return lambda value: "{" + ",".join(f"{_key(k)}:{item(v)}" for k, v in value.items()) + "}"
        case Base.STRUCT:
            fields = [(name, f"{encode_basestring(name)}:", _nullable(field)) for name, field in kind.fields]
            return lambda value: "{" + ",".join(label + item(value.get(name)) for name, label, item in fields) + "}"
        case base:
            return _SCALARS[base]


def _nullable(kind: SqlType) -> Writer:
    write = writer_of(kind)
    return lambda value: "null" if value is None else write(value)


def object_writer(fields: list[tuple[str, SqlType]]) -> Callable[[tuple[Any, ...]], str]:
    """Compile the function from a row to the text of one JSON object."""
    scope: dict[str, Any] = {}
    parts: list[str] = []
    for index, (name, kind) in enumerate(fields):
        scope[f"w{index}"] = writer_of(kind)
        scope[f"n{index}"] = json.dumps(name, ensure_ascii=False) + ":"
        parts.append(f"{{n{index}}}{{w{index}(v{index}) if v{index} is not None else 'null'}}")
    names = "".join(f"v{index}, " for index in range(len(fields)))
    unpack = f"    ({names}) = row\n" if fields else ""
    body = "'{{" + ",".join(part.replace("'null'", '"null"') for part in parts) + "}}'"
    source = f"def write(row):\n{unpack}    return f{body}\n"
    exec(source, scope)  # noqa: S102 - names in the source are our own v0, v1, …; data stays in the scope
    write: Callable[[tuple[Any, ...]], str] = scope["write"]
    return write
