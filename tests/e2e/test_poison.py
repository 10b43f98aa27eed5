"""Poison in the middle of good events: each ends in one dead letter that a person understands, all others arrive."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import fastavro
import psycopg
import pytest
from confluent_kafka import KafkaError, Message, Producer

from access.http import Endpoint
from pipeline.clients.registry import SchemaRegistry
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.letter import Letter
from pipeline.dead_letters.table import read_letters
from producer.avro import HEADER, encoder_for, load_schema, wire_header
from producer.encoder import RecordEncoder
from tests.accounts import exact
from tests.conftest import Stack

GOOD = {"session_id": "s", "event_type": "video_watch", "device": "web", "user_id": "u-poison"}
GOOD_BETWEEN = 20

EVENT = load_schema("user-events-value")
ORDER = {"type": "record", "name": "Order", "fields": [{"name": "order_id", "type": "string"}]}

Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that no table can hold: a good event, changed, then its bytes; ``reason`` as `dlq list` shows it.

    ``schema`` is what it is encoded with where that is another one than the event's.
    """

    name: str
    reason: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    without: str = ""
    schema: Mapping[str, Any] | None = None
    alter: Callable[[bytes], bytes | None] = bytes
    key: bytes | None = b"u-poison"


POISONS = (
    Poison("NUL in text", '22021 invalid byte sequence for encoding "…": 0x00', {"page": "a\x00b"}),
    Poison("an escaped NUL in JSON", "22P05 unsupported Unicode escape sequence", {"metadata": r'{"a": "\u0000"}'}),
    Poison("JSON that is none", "22P02 invalid input syntax for type json", {"metadata": "{no JSON"}),
    Poison("JSON that is no object", 'constraint "user_events_metadata_check"', {"metadata": "[1]"}),
    Poison("a number too large", "22003 numeric field overflow", {"amount": Decimal(10) ** 11}),
    Poison("a percentage over 100", 'constraint "user_events_watched_percent_check"', {"watched_percent": 101}),
    Poison("no session", '23502 null value in column "session_id"', without="session_id"),
    Poison("no id", '23502 null value in column "event_id"', without="event_id"),
    Poison("another topic's schema", "the record's value has no field event_id", {"order_id": "o"}, schema=ORDER),
    Poison("an id that is no UUID", '22P02 invalid input syntax for type uuid: "…"', {"event_id": "no-uuid"}),
    Poison("a time out of range", "22008 timestamp out of range", {"occurred_at": 10**16}),
    Poison("the end of time", "22008 timestamp out of range", {"occurred_at": 2**63 - 1}),
    Poison("a time far ahead", 'constraint "occurred_at_most_an_hour_ahead"', {"occurred_at": 4_000_000_000_000}),
    Poison("an unknown type of event", 'constraint "user_events_event_type_check"', {"event_type": "teleport"}),
    Poison(
        "8 MB of metadata",
        'constraint "metadata_has_at_most_one_megabyte"',
        {"metadata": json.dumps({"a": "b" * 8_000_000})},
    ),
    Poison("no Avro", "not Confluent's wire format: no magic byte 0", alter=lambda _: b"some text, no Avro"),
    Poison("no bytes", "not Confluent's wire format: shorter than its five bytes", alter=lambda _: b""),
    Poison("a wrong magic byte", "not Confluent's wire format", alter=lambda value: b"\x01" + value[1:]),
    Poison("truncated Avro", "truncated: the Avro ends before its schema does", alter=lambda value: value[:-9]),
    Poison(
        "an unknown schema id",
        "the registry has no schema with the id",
        alter=lambda value: HEADER.pack(0, 999_999) + value[HEADER.size :],
    ),
    Poison("no value", "the value is null", alter=lambda _: None),
    Poison("no key", "the key is null", key=None),
)


@dataclass(slots=True)
class Outcome:
    """What one run over all poison left behind: letters by the position of their record, and rows by event."""

    positions: dict[str, Position]
    letters: dict[Position, list[Letter]]
    sent: set[str]
    evolved: dict[str, str]
    arrived: set[str]
    new_letters: int


class Sender:
    """Sends events among good ones, and remembers where each poison went."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._encoders: dict[str, RecordEncoder] = {}
        # The broker limits the compressed size, so a large text gets in.
        self._producer = Producer(
            {
                "bootstrap.servers": stack.kafka_bootstrap_servers,
                "compression.type": "lz4",
                "message.max.bytes": 20_000_000,
                "partitioner": "murmur2_random",
            }
        )
        self.positions: dict[str, Position] = {}
        self.sent: set[str] = set()

    def good(self) -> None:
        event = self._event({})
        self.sent.add(event["event_id"])
        self._producer.produce("user-events", self._encoder().encode(event), "u-poison")

    def poison(self, poison: Poison) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            self.positions[poison.name] = (message.partition() or 0, message.offset() or 0)

        self._producer.produce("user-events", poison.alter(self._encoded(poison)), poison.key, on_delivery=delivered)

    def evolved(self, *, extra: str = "", without: str = "") -> str:
        """Send a good event with another schema and return its id."""
        event = self._event({extra: "x"} if extra else {})
        self.sent.add(event["event_id"])
        self._producer.produce("user-events", self._encoder(extra, without).encode(event), "u-poison")
        return str(event["event_id"])

    def finish(self) -> None:
        assert self._producer.flush(60) == 0

    def _event(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        return {**GOOD, "event_id": str(uuid4()), "occurred_at": time.time_ns() // 1_000_000, **changes}

    def _encoded(self, poison: Poison) -> bytes:
        event = self._event(poison.changes)
        if poison.schema is None:
            return self._encoder(without=poison.without).encode(event)
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, dict(poison.schema), event)
        return wire_header(self._register(f"poison-{poison.name.replace(' ', '-')}", poison.schema)) + buffer.getvalue()

    def _encoder(self, extra: str = "", without: str = "") -> RecordEncoder:
        """Return the encoder of a schema of its own, which is no version of ours: ksqlDB need not know it."""
        name = f"with-{extra}-without-{without}"
        if name not in self._encoders:
            fields = [each for each in EVENT["fields"] if each["name"] != without]
            fields += [{"name": extra, "type": ["null", "string"], "default": None}] if extra else []
            subject = f"poison-{name}" if extra or without else "user-events-value"
            schema = {**EVENT, "fields": fields}
            self._encoders[name] = encoder_for(schema, self._register(subject, schema))
        return self._encoders[name]

    def _register(self, subject: str, schema: Mapping[str, Any]) -> int:
        return SchemaRegistry(Endpoint(self._stack.schema_registry_url)).register(subject, json.dumps(schema))


def count_letters(connection: psycopg.Connection) -> int:
    """Return how many dead letters there are of the declared sinks: those of other tests may still be on their way."""
    sinks = ["user-events", "user-stats", "users"]
    row = connection.execute("SELECT count(*) FROM dead_letter_queue WHERE connector = ANY(%s)", (sinks,)).fetchone()
    return int(row[0]) if row else 0


@pytest.fixture(scope="module")
def outcome(stack: Stack) -> Outcome:
    """Every poison, each between good events, until all are through."""
    deployed = stack.pipeline("deploy")
    assert deployed.returncode == 0, deployed.stderr
    exact(stack)
    with psycopg.connect(stack.postgres_dsn) as connection:
        letters_before = count_letters(connection)
    sender = Sender(stack)
    evolved = {}
    for poison in POISONS:
        for _ in range(GOOD_BETWEEN):
            sender.good()
        sender.poison(poison)
    evolved["extra"] = sender.evolved(extra="favourite_colour")
    evolved["without"] = sender.evolved(without="channel")
    for _ in range(GOOD_BETWEEN):
        sender.good()
    sender.finish()
    exact(stack)
    with psycopg.connect(stack.postgres_dsn) as connection:
        letters: dict[Position, list[Letter]] = {}
        for letter in read_letters(connection, Filters()):
            if letter.origin.topic == "user-events":
                letters.setdefault((letter.origin.partition, letter.origin.offset), []).append(letter)
        new_letters = count_letters(connection) - letters_before
        rows = connection.execute("SELECT event_id::text FROM user_events WHERE user_id = 'u-poison'").fetchall()
    return Outcome(
        positions=sender.positions,
        letters=letters,
        sent=sender.sent,
        arrived={row for (row,) in rows},
        evolved=evolved,
        new_letters=new_letters,
    )


@pytest.mark.parametrize("poison", POISONS, ids=lambda poison: str(poison.name))
def test_poison_ends_in_one_dead_letter_with_a_reason_for_people(outcome: Outcome, poison: Poison) -> None:
    (letter,) = outcome.letters[outcome.positions[poison.name]]
    assert poison.reason in letter.reason
    assert (letter.connector, letter.status, letter.retry_count) == ("user-events", "pending", 0)


def test_all_good_events_arrive_and_nothing_else_is_a_dead_letter(outcome: Outcome) -> None:
    assert outcome.sent <= outcome.arrived
    assert outcome.new_letters == len(POISONS)


def test_a_schema_with_one_field_more_or_one_optional_field_less_is_no_poison(outcome: Outcome) -> None:
    assert outcome.evolved["extra"] in outcome.arrived
    assert outcome.evolved["without"] in outcome.arrived
