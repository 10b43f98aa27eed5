"""What breaks the model is refused, and the message names the field."""

from __future__ import annotations

from typing import Any

import pytest

from producer.avro import event_of_record
from producer.errors import InvalidEventError
from producer.events import parse_event
from producer.users import parse_user

LOGIN: dict[str, Any] = {
    "event_type": "login",
    "event_id": "0b0e6f5e-7a5c-4f3e-9d0a-111111111111",
    "user_id": "user-1",
    "session_id": "s-1",
    "occurred_at": "2026-01-02T03:04:05.678Z",
    "device": "web",
}
PURCHASE = {**LOGIN, "event_type": "purchase", "product_id": "p", "quantity": 1, "amount": "9.99", "currency": "EUR"}
VIDEO = {**LOGIN, "event_type": "video_watch", "video_id": "v", "watched_percent": 50}
CLICK = {**LOGIN, "event_type": "click", "element_id": "buy"}
USER = {
    "user_id": "u",
    "email": "u@example.com",
    "first_name": "U",
    "last_name": "V",
    "country": "DE",
    "is_active": True,
    "signup_date": "2026-01-02",
}


@pytest.mark.parametrize(
    ("valid", "changes", "complaint"),
    [
        (LOGIN, {"event_type": "sleep"}, "event_type"),
        (LOGIN, {"event_type": None}, "event_type"),
        (LOGIN, {"event_id": "no uuid"}, "login event: event_id"),
        (LOGIN, {"user_id": ""}, "user_id"),
        (LOGIN, {"user_id": "a\0b"}, "user_id: must not contain the character U+0000"),
        (LOGIN, {"session_id": None}, "session_id"),
        (LOGIN, {"occurred_at": "2026-01-02T03:04:05"}, "occurred_at"),
        (LOGIN, {"occurred_at": "1969-12-31T23:59:59Z"}, "occurred_at: must not be before 1970"),
        (LOGIN, {"device": "fridge"}, "device"),
        (LOGIN, {"country": "XX"}, "country: 'XX' is not a country code"),
        (LOGIN, {"ip_address": "1.2.3.4.5"}, "ip_address"),
        (LOGIN, {"duration_seconds": -1}, "duration_seconds"),
        (LOGIN, {"duration_seconds": 2**31}, "duration_seconds"),
        (LOGIN, {"page": "\ud800"}, "page"),
        (LOGIN, {"metadata": [1]}, "metadata"),
        (LOGIN, {"metadata": {"a": [float("nan")]}}, "metadata"),
        (LOGIN, {"metadata": {"a": {"b\0": 1}}}, "metadata"),
        (LOGIN, {"amount": "1.00"}, "amount: does not belong to it"),
        (LOGIN, {"colour": "red"}, "colour: does not belong to it"),
        (PURCHASE, {"amount": "0"}, "purchase event: amount"),
        (PURCHASE, {"amount": "1.001"}, "amount"),
        (PURCHASE, {"amount": "10000000000.00"}, "amount"),
        (PURCHASE, {"currency": "EURO"}, "currency: 'EURO' is not a currency code"),
        (PURCHASE, {"currency": None}, "currency"),
        (PURCHASE, {"quantity": 0}, "quantity"),
        (PURCHASE, {"video_id": "v"}, "video_id: does not belong to it"),
        (VIDEO, {"watched_percent": 101}, "watched_percent"),
        (VIDEO, {"product_id": "p"}, "product_id: does not belong to it"),
        (CLICK, {"element_id": ""}, "click event: element_id"),
        (CLICK, {"x": -1}, "x"),
    ],
)
def test_an_invalid_event_is_refused_naming_the_field(
    valid: dict[str, Any], changes: dict[str, Any], complaint: str
) -> None:
    parse_event(valid)
    with pytest.raises(InvalidEventError) as caught:
        parse_event({**valid, **changes})
    assert complaint in str(caught.value)


def test_every_wrong_field_is_named() -> None:
    with pytest.raises(InvalidEventError, match=r"quantity: .*; currency: "):
        parse_event({**PURCHASE, "quantity": 0, "currency": "?"})


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"email": "nobody"}, "email"), ({"country": "de"}, "country"), ({"signup_date": "soon"}, "signup_date")],
)
def test_an_invalid_profile_is_refused_naming_the_field(changes: dict[str, Any], field: str) -> None:
    parse_user(USER)
    with pytest.raises(InvalidEventError, match=f"invalid user: {field}: "):
        parse_user({**USER, **changes})


def test_a_record_that_breaks_the_model_is_refused_naming_the_field() -> None:
    record = {**LOGIN, "occurred_at": 1_700_000_000_000, "metadata": "{}", "currency": "EUR"}
    with pytest.raises(InvalidEventError, match="currency"):
        event_of_record(record)
