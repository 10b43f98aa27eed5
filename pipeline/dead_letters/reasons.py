"""Why a record failed, in words that are the same for all records that failed alike."""

from __future__ import annotations

import re

_PREFIX = re.compile(r'^(SQLState \S+: )?(ERROR: )?(new row for relation "[^"]*" )?')
_QUOTED = re.compile(r'(\w+ )?"[^"]*"')
_NAMES = {"constraint", "relation", "column", "function", "type", "table", "index", "domain"}
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(\.\d+)?(?![\w.])")
_LONGEST = 160

# What the converter says about bytes that are not the Avro it expects, by exception and start of its message.
_CONVERTER = {
    ("IllegalStateException", "artifact reference cannot be null"): "not Confluent's wire format: no magic byte 0",
    ("ArrayIndexOutOfBoundsException", ""): "not Confluent's wire format: shorter than its five bytes",
    ("BufferUnderflowException", ""): "not Confluent's wire format: shorter than its five bytes",
    ("ContentNotFoundException", ""): "the registry has no schema with the id that the record names",
    ("UncheckedIOException", "java.io.EOFException"): "truncated: the Avro ends before its schema does",
}


def normalise_reason(error_type: str, sql_state: str | None, message: str | None) -> str:
    """Return the SQLState or the exception's name, then its message without what differs from record to record."""
    exception = error_type.rpartition(".")[2].rpartition("$")[2]
    text = _PREFIX.sub("", (message or "").strip().partition("\n")[0], count=1)
    for (name, start), explanation in _CONVERTER.items():
        if exception == name and text.startswith(start):
            return explanation
    text = _NUMBER.sub("n", _UUID.sub("…", _QUOTED.sub(_keep_names, text))).strip()
    return f"{sql_state or exception} {text}"[:_LONGEST].rstrip()


def _keep_names(quoted: re.Match[str]) -> str:
    word = (quoted[1] or "").strip()
    return quoted[0] if word in _NAMES else f'{quoted[1] or ""}"…"'
