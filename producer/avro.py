"""Events and profiles as Avro: the schema files, the records, the Confluent wire format."""

import io
import json
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import fastavro

from producer.encoder import RecordEncoder
from producer.errors import SchemaFileError
from producer.events import EPOCH, Event, parse_event
from producer.users import User, parse_user

SCHEMAS_DIRECTORY = Path(__file__).resolve().parent.parent / "schemas"
MAGIC_BYTE = 0
HEADER = struct.Struct(">bI")

Record = dict[str, Any]


def load_schema(subject: str, directory: Path = SCHEMAS_DIRECTORY) -> dict[str, Any]:
    """Read the schema that is declared for a subject.

    Raises:
        SchemaFileError: the file is missing, is not JSON or not an Avro schema.
    """
    path = directory / f"{subject}.avsc"
    try:
        schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        fastavro.parse_schema(schema)
    except OSError as error:
        raise SchemaFileError(f"cannot read the schema {path}: {error.strerror}; restore the file") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SchemaFileError(f"{path} is not JSON: {error}; correct the file") from error
    except (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType, KeyError) as error:
        raise SchemaFileError(f"{path} is not an Avro schema: {error!r}; correct the file") from error
    return schema


def wire_header(schema_id: int) -> bytes:
    """Return the five bytes of Confluent's wire format: magic byte 0, id as big-endian int."""
    return HEADER.pack(MAGIC_BYTE, schema_id)


def encoder_for(schema: Mapping[str, Any], schema_id: int) -> RecordEncoder:
    """Return an encoder that writes Confluent's wire format."""
    return RecordEncoder(schema, wire_header(schema_id))


def decode(schema: Mapping[str, Any], message: bytes) -> Record:
    """Read a message in Confluent's wire format, whatever its schema id, with the schema that wrote it."""
    return cast("Record", fastavro.schemaless_reader(io.BytesIO(message[HEADER.size :]), dict(schema), None))


def milliseconds(moment: datetime) -> int:
    """Return the milliseconds since 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def record_of_event(event: Event) -> Record:
    """Return the record that is written for an event."""
    record = {name: value for name, value in event if value is not None}
    record["event_id"] = str(event.event_id)
    record["occurred_at"] = milliseconds(event.occurred_at)
    if event.ip_address is not None:
        record["ip_address"] = str(event.ip_address)
    if event.metadata is not None:
        record["metadata"] = json.dumps(event.metadata, ensure_ascii=False, separators=(",", ":"))
    return record


def event_of_record(record: Mapping[str, Any]) -> Event:
    """Return the validated event of a record as generated or as decoded.

    Raises:
        InvalidEventError: naming the offending field.
    """
    fields = {name: value for name, value in record.items() if value is not None}
    moment = fields.get("occurred_at")
    if isinstance(moment, int):
        fields["occurred_at"] = datetime.fromtimestamp(moment // 1000, UTC) + timedelta(milliseconds=moment % 1000)
    if "metadata" in fields:
        fields["metadata"] = json.loads(fields["metadata"])
    return parse_event(fields)


def record_of_user(user: User) -> Record:
    """Return the record that is written for a profile."""
    return dict(user)


def user_of_record(record: Mapping[str, Any]) -> User:
    """Return the validated profile of a record."""
    return parse_user(record)
