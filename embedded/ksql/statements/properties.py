"""The properties of a WITH clause: which there are, and what they may say."""

from __future__ import annotations

import re

from embedded.ksql.errors import StatementError
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_dates import compiled
from embedded.ksql.language import ast
from embedded.ksql.planning.plan import WindowInfo
from embedded.ksql.planning.with_clause import property_texts

_PREPARING = "Failed to prepare statement: "

_OF_RESULTS = frozenset(
    {
        "KAFKA_TOPIC",
        "FORMAT",
        "KEY_FORMAT",
        "VALUE_FORMAT",
        "KEY_DELIMITER",
        "VALUE_DELIMITER",
        "KEY_SCHEMA_FULL_NAME",
        "VALUE_SCHEMA_FULL_NAME",
        "KEY_AVRO_SCHEMA_FULL_NAME",
        "VALUE_AVRO_SCHEMA_FULL_NAME",
        "PARTITIONS",
        "REPLICAS",
        "RETENTION_MS",
        "CLEANUP_POLICY",
        "TIMESTAMP",
        "TIMESTAMP_FORMAT",
        "WRAP_SINGLE_VALUE",
    }
)
_OF_SOURCES = _OF_RESULTS | {"WINDOW_TYPE", "WINDOW_SIZE"}
_REAL_SERVER_ONLY = frozenset(
    {
        "KEY_SCHEMA_ID",
        "VALUE_SCHEMA_ID",
        "KEY_PROTOBUF_NULLABLE_REPRESENTATION",
        "VALUE_PROTOBUF_NULLABLE_REPRESENTATION",
        "SOURCED_BY_CONNECTOR",
    }
)
#: The settings that give a source the format which its WITH clause does not name.
DEFAULT_FORMATS = {
    "KEY_FORMAT": "ksql.persistence.default.format.key",
    "VALUE_FORMAT": "ksql.persistence.default.format.value",
}
_NUMBERS = {"PARTITIONS": "INT", "REPLICAS": "SHORT", "RETENTION_MS": "LONG"}


def source_properties(properties: ast.Properties) -> dict[str, str]:
    """Return the properties of a declared source by name. Raises StatementError for those it cannot have."""
    found = _checked(properties, _OF_SOURCES)
    if "KAFKA_TOPIC" not in found:
        raise StatementError(f'{_PREPARING}Missing required property "KAFKA_TOPIC" which has no default value.')
    _refuse_twofold_formats(found)
    window_of(found)
    return found


def result_properties(properties: ast.Properties) -> dict[str, str]:
    """Return the properties of a CREATE … AS by name. Raises StatementError for those it cannot have."""
    found = _checked(properties, _OF_RESULTS)
    _refuse_twofold_formats(found)
    return found


def insert_properties(properties: ast.Properties) -> dict[str, str]:
    """Return the properties of an INSERT INTO by name. Raises StatementError for those it cannot have."""
    return _checked(properties, frozenset({"QUERY_ID"}))


def window_of(properties: dict[str, str]) -> WindowInfo | None:
    """Return how WINDOW_TYPE and WINDOW_SIZE say that keys are windowed. Raises StatementError."""
    kind, size = properties.get("WINDOW_TYPE", "").upper(), properties.get("WINDOW_SIZE")
    match kind:
        case "":
            if size is not None:
                raise StatementError(f"{_PREPARING}'WINDOW_SIZE' cannot be used without 'WINDOW_TYPE'.")
            return None
        case "SESSION":
            if size is not None:
                raise StatementError(f"{_PREPARING}'WINDOW_SIZE' should not be set for SESSION windows.")
            return WindowInfo("SESSION", None)
        case "TUMBLING" | "HOPPING":
            if size is None:
                raise StatementError(
                    f"{_PREPARING}{kind} windows require 'WINDOW_SIZE' to be provided in the WITH clause. "
                    "For example: 'WINDOW_SIZE'='10 SECONDS'"
                )
            return WindowInfo(kind, _milliseconds(size))
    raise StatementError(
        f"{_PREPARING}Invalid value {kind} for property WINDOW_TYPE: "
        "String must be one of: SESSION, HOPPING, TUMBLING, null"
    )


def topic_count(properties: dict[str, str], name: str) -> int | None:
    """Return PARTITIONS, REPLICAS or RETENTION_MS, None where it is not given."""
    text = properties.get(name)
    return None if text is None else int(text)


def refuse_other_policy(properties: dict[str, str], inferred: str) -> None:
    """Raise StatementError for a CLEANUP_POLICY that is not what the kind of source implies.

    ksqlDB takes none at all; here the one it prints in its own canonical texts may come back.
    """
    if properties.get("CLEANUP_POLICY", inferred) != inferred:
        raise StatementError(
            "Invalid config variable in the WITH clause: CLEANUP_POLICY.\n"
            "The CLEANUP_POLICY config is automatically inferred based on the type of source (STREAM or TABLE).\n"
            "Users can't set the CLEANUP_POLICY config manually."
        )


def _checked(properties: ast.Properties, known: frozenset[str]) -> dict[str, str]:
    found = property_texts(properties)
    missing_here = sorted(_REAL_SERVER_ONLY & set(found))
    if missing_here:
        raise StatementError(f"{_PREPARING}{', '.join(missing_here)}: not supported by the embedded engine.")
    unknown = [name for name in found if name not in known]
    if unknown:
        raise StatementError(f"{_PREPARING}Invalid config variable(s) in the WITH clause: {', '.join(unknown)}")
    for name, kind in _NUMBERS.items():
        text = found.get(name)
        if text is not None and not re.fullmatch(r"-?\d+", text):
            raise StatementError(f"{_PREPARING}Invalid value {text} for property {name}: Not a number of type {kind}")
    wrap = found.get("WRAP_SINGLE_VALUE", "true")
    if wrap.lower() not in {"true", "false"}:
        raise StatementError(
            f"{_PREPARING}Invalid value {wrap} for property WRAP_SINGLE_VALUE: "
            "Expected value to be either true or false"
        )
    for name in ("KEY_DELIMITER", "VALUE_DELIMITER"):
        if name in found:
            _check_delimiter(name, found[name])
    if "TIMESTAMP_FORMAT" in found:
        _check_pattern(found["TIMESTAMP_FORMAT"])
    return found


def _check_pattern(pattern: str) -> None:
    try:
        compiled(pattern)
    except EvaluationError as error:
        raise StatementError(
            f"{_PREPARING}Invalid datetime format for config:TIMESTAMP_FORMAT, reason:{error}"
        ) from error


def _refuse_twofold_formats(properties: dict[str, str]) -> None:
    for name in ("KEY_FORMAT", "VALUE_FORMAT"):
        if "FORMAT" in properties and name in properties:
            raise StatementError(
                f"Cannot supply both '{name}' and 'FORMAT' properties, as 'FORMAT' sets both key and value formats. "
                "Either use just 'FORMAT', or use 'KEY_FORMAT' and 'VALUE_FORMAT'."
            )


def _milliseconds(text: str) -> int:
    wrong = f"{_PREPARING}Configuration WINDOW_SIZE is invalid: Invalid duration: '{text}'."
    parts = re.split(r"\s", text.rstrip())
    if len(parts) != 2:  # noqa: PLR2004 - a number and a unit
        raise StatementError(f"{wrong} Expected 2 tokens, got: {len(parts)}")
    number, unit = parts[0], parts[1].upper()
    if re.fullmatch(r"[+-]?\d+", number) is None:
        raise StatementError(f"{wrong} Not numeric: '{number}'")
    milliseconds = ast.UNIT_MILLISECONDS.get(unit.removesuffix("S"))
    if milliseconds is None:
        raise StatementError(f"{wrong} Unknown time unit: '{unit}'")
    return int(number) * milliseconds


def _check_delimiter(name: str, text: str) -> None:
    wrong, example = f"{_PREPARING}Configuration {name} is invalid: ", "\nExample valid value: ';'"
    if not text.strip():
        raise StatementError(
            f"{wrong}Delimiter cannot be empty, if you meant to have a tab or space for delimiter, please use the "
            f"special values 'TAB' or 'SPACE'{example}"
        )
    if len(text) > 1 and text.upper() not in {"TAB", "SPACE"}:
        raise StatementError(
            f"{wrong}Invalid delimiter value: '{text}'. Delimiter must be a single character or TAB,SPACE{example}"
        )
