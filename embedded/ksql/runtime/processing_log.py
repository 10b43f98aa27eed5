"""Records of the processing log: what was skipped, why, and where it is; in ksqlDB's JSON shape."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from embedded.ksql.operators.interface import ExpressionFailure
from embedded.ksql.runtime.decoding import BadRecord

LARGEST_RECORD_BYTES = 65_536
DESERIALIZATION, RECORD_PROCESSING = 0, 1


def of_bad_record(query_id: str, bad: BadRecord) -> bytes:
    """Describe a record that could not be decoded."""
    detail: dict[str, Any] = {
        "target": bad.target,
        "errorMessage": bad.reason,
        "recordB64": None if bad.data is None else base64.b64encode(bad.data[:LARGEST_RECORD_BYTES]).decode(),
        "cause": [],
        "topic": bad.topic,
        "partition": bad.partition,
        "offset": bad.offset,
    }
    return _entry(f"processing.{query_id}.KsqlTopic.Source.deserializer", DESERIALIZATION, detail)


def of_failure(query_id: str, failure: ExpressionFailure) -> bytes:
    """Describe a row that an expression could not handle."""
    row = failure.row
    detail: dict[str, Any] = {
        "errorMessage": failure.message,
        "record": repr((row.key, row.value))[:LARGEST_RECORD_BYTES],
        "cause": [],
        "topic": failure.topic,
        "partition": row.partition,
        "offset": row.offset,
    }
    return _entry(f"processing.{query_id}.Project", RECORD_PROCESSING, detail)


def _entry(logger: str, kind: int, detail: dict[str, Any]) -> bytes:
    message: dict[str, Any] = {
        "type": kind,
        "deserializationError": detail if kind == DESERIALIZATION else None,
        "recordProcessingError": detail if kind == RECORD_PROCESSING else None,
        "productionError": None,
        "serializationError": None,
        "kafkaStreamsThreadError": None,
    }
    entry = {"level": "ERROR", "logger": logger, "time": int(time.time() * 1000), "message": message}
    return json.dumps(entry).encode()
