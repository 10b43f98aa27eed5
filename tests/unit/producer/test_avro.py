"""Models and schemas say the same, and what is written is what is read."""

from __future__ import annotations

import io
import string
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.avro import (
    decode,
    encoder_for,
    event_of_record,
    load_schema,
    record_of_event,
    record_of_user,
    user_of_record,
)
from producer.errors import SchemaFileError
from producer.events import EVENT_MODELS, MAX_INT, Envelope, Event, parse_event
from producer.iso_codes import COUNTRIES, CURRENCIES
from producer.users import User, parse_user

EVENTS = load_schema("user-events-value")
USERS = load_schema("users-value")
PARSED = {"events": fastavro.parse_schema(dict(EVENTS)), "users": fastavro.parse_schema(dict(USERS))}

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)
identifier = text.filter(bool)
counts = st.integers(0, MAX_INT)
countries = st.sampled_from(sorted(COUNTRIES))
metadata = st.dictionaries(
    text,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)
OF_FIELD: dict[str, st.SearchStrategy[Any]] = {
    "event_id": st.uuids(),
    "user_id": identifier,
    "session_id": identifier,
    "occurred_at": st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    "device": st.sampled_from(["web", "mobile", "tablet", "desktop"]),
    "country": countries,
    "ip_address": st.ip_addresses(),
    "metadata": metadata,
    "amount": st.decimals(Decimal("0.01"), Decimal("9999999999.99"), places=2),
    "currency": st.sampled_from(sorted(CURRENCIES)),
    **dict.fromkeys(("quantity", "video_duration_seconds"), st.integers(1, MAX_INT)),
    "watched_percent": st.integers(0, 100),
    **dict.fromkeys(("product_id", "video_id", "element_id", "channel"), identifier),
    **dict.fromkeys(("page", "referrer", "category", "element_type", "query"), text),
    **dict.fromkeys(("duration_seconds", "x", "y", "results_count"), counts),
}


@st.composite
def events(draw: st.DrawFn) -> Event:
    model = draw(st.sampled_from(EVENT_MODELS))
    fields: dict[str, Any] = {"event_type": model.model_fields["event_type"].default}
    for name, field in model.model_fields.items():
        if name != "event_type":
            fields[name] = draw(OF_FIELD[name] if field.is_required() else st.none() | OF_FIELD[name])
    return parse_event(fields)


users = st.builds(
    User,
    user_id=identifier,
    email=st.text(string.ascii_letters, min_size=1).map(lambda name: f"{name}@example.com"),
    first_name=text,
    last_name=text,
    country=countries,
    is_active=st.booleans(),
    signup_date=st.dates(),
)


def fastavro_bytes(schema: str, record: dict[str, Any]) -> bytes:
    written = io.BytesIO()
    fastavro.schemaless_writer(written, PARSED[schema], record)
    return written.getvalue()


@given(events())
def test_an_event_survives_avro_unchanged(event: Event) -> None:
    message = encoder_for(EVENTS, 7).encode(record_of_event(event))
    assert event_of_record(decode(EVENTS, message)) == event


@given(users)
def test_a_profile_survives_avro_unchanged(user: User) -> None:
    message = encoder_for(USERS, 7).encode(record_of_user(user))
    assert user_of_record(decode(USERS, message)) == user


@given(events())
def test_events_are_encoded_as_fastavro_does_byte_for_byte(event: Event) -> None:
    record = record_of_event(event)
    assert encoder_for(EVENTS, 7).encode(record) == b"\x00\x00\x00\x00\x07" + fastavro_bytes("events", record)


@given(users)
def test_profiles_are_encoded_as_fastavro_does_byte_for_byte(user: User) -> None:
    record = record_of_user(user)
    assert encoder_for(USERS, 258).encode(record) == b"\x00\x00\x00\x01\x02" + fastavro_bytes("users", record)


@given(st.lists(st.integers(-(10**12) + 1, 10**12 - 1), min_size=1))
def test_decimals_of_any_sign_are_what_fastavro_reads_and_no_longer_than_what_it_writes(unscaled: list[int]) -> None:
    amount = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
    schema = {"type": "record", "name": "R", "fields": [{"name": "amount", "type": amount}]}
    encoder = encoder_for(schema, 1)
    for number in unscaled:
        record = {"amount": Decimal(number).scaleb(-2)}
        written = io.BytesIO()
        parsed = fastavro.parse_schema(dict(schema))
        fastavro.schemaless_writer(written, parsed, record)
        ours = encoder.encode(record)[5:]
        assert fastavro.schemaless_reader(io.BytesIO(ours), parsed, None) == record
        assert len(ours) <= len(written.getvalue())  # -128 fits into one byte, fastavro takes two


def test_the_schema_of_events_has_exactly_the_fields_of_the_models() -> None:
    in_models = {name for model in EVENT_MODELS for name in model.model_fields}
    assert {field["name"] for field in EVENTS["fields"]} == in_models


def test_the_schema_of_events_requires_exactly_what_every_model_requires() -> None:
    required = {name for name, field in Envelope.model_fields.items() if field.is_required()} | {"event_type"}
    assert {field["name"] for field in EVENTS["fields"] if "default" not in field} == required


def test_the_schema_of_users_has_exactly_the_fields_of_the_model() -> None:
    assert [field["name"] for field in USERS["fields"]] == list(User.model_fields)


def test_a_profile_from_outside_is_validated() -> None:
    fields = {"user_id": "u", "email": "u@example.com", "first_name": "U", "last_name": "V", "country": "DE"}
    user = parse_user({**fields, "is_active": True, "signup_date": date(2026, 1, 2)})
    assert user_of_record(record_of_user(user)) == user


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ('{"type": "record", "name": "R", "fields": [{"name": "a", "type": "colour"}]}', "is not an Avro schema"),
        ('{"type": "record", "fields": []}', "is not an Avro schema"),
    ],
)
def test_a_broken_schema_file_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "broken.avsc").write_text(content)
    with pytest.raises(SchemaFileError, match=complaint) as caught:
        load_schema("broken", tmp_path)
    assert "broken.avsc" in str(caught.value)


def test_a_missing_schema_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaFileError, match=r"missing\.avsc: No such file"):
        load_schema("missing", tmp_path)


@pytest.mark.parametrize(
    "avro_type",
    [["null", "string", "int"], ["string", "null"], {"type": "array", "items": "string"}, "double"],
)
def test_a_schema_that_is_not_flat_is_refused(avro_type: Any) -> None:
    field = {"name": "a", "type": avro_type}
    for declared in (field, {**field, "default": 0.5}):
        with pytest.raises(SchemaFileError):
            encoder_for({"type": "record", "name": "R", "fields": [declared]}, 1)


@pytest.mark.parametrize(
    ("avro_type", "default", "read"),
    [
        ("string", "unknown", "unknown"),
        ("boolean", True, True),
        ("int", 0, 0),
        ({"type": "long", "logicalType": "timestamp-millis"}, 1000, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ({"type": "int", "logicalType": "date"}, 1, date(1970, 1, 2)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}, "\xff", Decimal("-0.01")),
        (["null", "string"], None, None),
    ],
)
def test_a_field_that_a_record_lacks_is_written_with_its_default(avro_type: Any, default: Any, read: Any) -> None:
    fields = [{"name": "a", "type": avro_type, "default": default}, {"name": "b", "type": "int"}]
    schema = {"type": "record", "name": "R", "fields": fields}
    assert decode(schema, encoder_for(schema, 1).encode({"b": 7})) == {"a": read, "b": 7}


def test_a_schema_that_is_no_record_is_refused() -> None:
    with pytest.raises(SchemaFileError, match="not an Avro record"):
        encoder_for({"type": "string"}, 1)
