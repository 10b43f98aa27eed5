"""What `pipeline verify` finds of the profiles in users, on real servers: each is the last record of its key."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any
from uuid import uuid4

import fastavro
import psycopg
import pytest
from confluent_kafka import Message, Producer
from psycopg.sql import SQL, Identifier

from access.http import Endpoint
from pipeline.clients.registry import SchemaRegistry
from pipeline.waiting import wait_until
from producer.avro import load_schema, wire_header
from tests.conftest import Stack
from tests.e2e.proving import WAIT_SECONDS, Connector, accounts, damaging, exact

CHANGES = {
    "email": "'other@example.org'",
    "first_name": "first_name || ' '",
    "last_name": "''",
    "country": "'XX'",
    "is_active": "NOT is_active",
    "signup_date": "signup_date + 1",
}


class Profiles:
    """Writes profiles under keys of its own."""

    def __init__(self, stack: Stack) -> None:
        self._producer = Producer({"bootstrap.servers": stack.kafka_bootstrap_servers, "partitioner": "murmur2_random"})
        self._schema = load_schema("users-value")
        latest = SchemaRegistry(Endpoint(stack.schema_registry_url)).lookup("users-value", json.dumps(self._schema))
        assert latest is not None
        self._header = wire_header(latest)

    def send(self, key: str, **changes: Any) -> str:
        """Write a profile and return where it is."""
        record = {
            "user_id": key,
            "email": f"{key}@example.org",
            "first_name": "Ada",
            "last_name": "L.",
            "country": "GB",
            "is_active": True,
            "signup_date": date(2024, 2, 29),
            **changes,
        }
        content = io.BytesIO()
        fastavro.schemaless_writer(content, self._schema, record)
        return self._write(key, self._header + content.getvalue())

    def delete(self, user_id: str) -> str:
        """Write a tombstone and return where it is."""
        return self._write(user_id, None)

    def _write(self, user_id: str, value: bytes | None) -> str:
        places: list[str] = []

        def delivered(error: object, message: Message) -> None:
            assert error is None
            places.append(f"users-{message.partition()}@{message.offset()}")

        self._producer.produce("users", value, user_id, on_delivery=delivered)
        assert self._producer.flush(30) == 0
        return places[0]


def new_user() -> str:
    return f"p-{uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def profiles(deployed: Stack) -> Profiles:
    assert deployed.pipeline("produce", "--events", "200", "--users", "20").returncode == 0
    assert exact(deployed)["profiles"] >= 20
    return Profiles(deployed)


def place_of(text: str) -> tuple[int, int]:
    partition, _, offset = text.removeprefix("users-").partition("@")
    return int(partition), int(offset)


def await_letter(stack: Stack, place: str) -> int:
    """Wait until a profile is a dead letter, and return its id."""

    def found() -> int | None:
        with psycopg.connect(stack.postgres_dsn) as connection:
            row = connection.execute(
                "SELECT id FROM dead_letter_queue WHERE source_topic = 'users' "
                "AND (source_partition, source_offset) = (%s, %s)",
                place_of(place),
            ).fetchone()
        return int(row[0]) if row else None

    return wait_until(found, awaiting="the dead letter", timeout_seconds=WAIT_SECONDS)


def test_a_row_is_the_last_record_of_its_key_and_a_tombstone_leaves_none(deployed: Stack, profiles: Profiles) -> None:
    before = exact(deployed)
    stays, goes = new_user(), new_user()
    for user_id in (stays, goes):
        profiles.send(user_id)
        profiles.send(user_id, country="FR", user_id="someone-else")
    profiles.delete(goes)
    after = exact(deployed)
    assert after["profiles"] == before["profiles"] + 1
    assert after["profiles_in_flight"] == after["profiles_mismatched"] == 0
    assert "profiles in users" in deployed.pipeline("verify").stdout


def test_a_profile_that_was_altered_is_found_whatever_the_column(deployed: Stack, profiles: Profiles) -> None:
    users = {column: new_user() for column in CHANGES}
    places = {column: profiles.send(user_id) for column, user_id in users.items()}
    exact(deployed)
    with damaging(deployed, "users") as connection:
        for column, change in CHANGES.items():
            update = SQL("UPDATE users SET {} = {} WHERE user_id = %s").format(Identifier(column), SQL(change))
            connection.execute(update, (users[column],))
        found = accounts(deployed)
        printed = deployed.pipeline("verify").stdout
    assert (found["ok"], found["profiles_mismatched"]) == (False, len(CHANGES))
    by_user = {each["user_id"]: each for each in found["details"]["profiles_mismatched"]}
    for column, user_id in users.items():
        assert by_user[user_id]["position"] == places[column]
        assert list(by_user[user_id]["expected"]) == list(by_user[user_id]["actual"]) == [column]
    assert by_user[users["signup_date"]]["expected"] == {"signup_date": "2024-02-29"}
    assert "Profiles that differ" in printed
    exact(deployed)


def test_a_profile_without_its_row_and_rows_without_a_profile_are_found(deployed: Stack, profiles: Profiles) -> None:
    lost, deleted = new_user(), new_user()
    place = profiles.send(lost)
    profiles.send(deleted)
    tombstone = profiles.delete(deleted)
    exact(deployed)
    row = "INSERT INTO users VALUES (%s, 'a@b.org', 'A', 'B', 'GB', true, '2024-01-01')"
    with damaging(deployed, "users") as connection:
        connection.execute("DELETE FROM users WHERE user_id = %s", (lost,))
        for user_id in (deleted, "p-stranger"):
            connection.execute(row, (user_id,))
        found = accounts(deployed)
    by_user = {each["user_id"]: each for each in found["details"]["profiles_mismatched"]}
    assert by_user.keys() == {lost, deleted, "p-stranger"}
    assert (by_user[lost]["position"], by_user[lost]["actual"]) == (place, None)
    assert (by_user[deleted]["position"], by_user[deleted]["expected"]) == (tombstone, None)
    assert (by_user["p-stranger"]["position"], by_user["p-stranger"]["expected"]) == (None, None)
    exact(deployed)


def test_a_profile_that_is_on_its_way_is_awaited(deployed: Stack, profiles: Profiles) -> None:
    exact(deployed)
    with Connector(deployed, "users").stopped():
        profiles.send(new_user())
        found = accounts(deployed, timeout_seconds=3)
        assert (found["ok"], found["profiles_in_flight"], found["profiles_mismatched"]) == (False, 1, 0)
        assert found["details"]["waiting_for"] == "1 profiles are on their way to users"
    exact(deployed)


def test_a_profile_that_the_sink_skipped_is_found(deployed: Stack, profiles: Profiles) -> None:
    connector, user_id = Connector(deployed, "users"), new_user()
    exact(deployed)
    with connector.stopped():
        place = profiles.send(user_id)
        partition, offset = place_of(place)
        connector.move_to("users", partition, offset + 1)
    (found,) = accounts(deployed)["details"]["profiles_mismatched"]
    assert (found["user_id"], found["position"], found["actual"]) == (user_id, place, None)
    assert found["expected"]["first_name"] == "Ada"
    with connector.stopped():
        connector.move_to("users", partition, offset)
    exact(deployed)


def test_a_refused_profile_is_accounted_for_by_its_dead_letter_and_then_by_its_replay(
    deployed: Stack, profiles: Profiles
) -> None:
    user_id = new_user()
    profiles.send(user_id, first_name="Former")
    before = exact(deployed)
    place = profiles.send(user_id, country="gb")
    found = exact(deployed)
    assert found["profiles_refused"] == before["profiles_refused"] + 1
    letter = await_letter(deployed, place)
    replayed = deployed.pipeline("dlq", "replay", "--id", str(letter), "--set", "country=GB")
    assert replayed.returncode == 0, replayed.stdout
    assert exact(deployed)["profiles_refused"] == before["profiles_refused"]
    with damaging(deployed, "users") as connection:
        connection.execute("UPDATE users SET first_name = 'Former' WHERE user_id = %s", (user_id,))
        (found,) = accounts(deployed)["details"]["profiles_mismatched"]
    assert found["position"].startswith("users.retry.users-")
    assert (found["expected"], found["actual"]) == ({"first_name": "Ada"}, {"first_name": "Former"})


def test_a_profile_of_an_erased_person_is_right_where_it_is_not(deployed: Stack, profiles: Profiles) -> None:
    user_id = new_user()
    letter = await_letter(deployed, profiles.send(user_id, country="gb"))
    assert deployed.pipeline("dlq", "replay", "--id", str(letter), "--set", "country=GB").returncode == 0
    before = exact(deployed)
    erased = deployed.pipeline("erase", user_id, "--yes")
    assert erased.returncode == 0, erased.stderr
    assert exact(deployed)["profiles"] == before["profiles"] - 1
    with damaging(deployed, "users") as connection:
        row = "INSERT INTO users VALUES (%s, %s, 'Ada', 'L.', 'GB', true, '2024-02-29')"
        connection.execute(row, (user_id, f"{user_id}@example.org"))
        (found,) = accounts(deployed)["details"]["profiles_mismatched"]
    assert (found["user_id"], found["expected"]) == (user_id, None)
    exact(deployed)
