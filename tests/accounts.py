"""What the end-to-end tests ask of a deployed pipeline: produce, and account for every event."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import uuid4

import psutil

from access.http import Endpoint
from embedded.state import ServerState, StateDir
from producer.avro import encoder_for, load_schema
from producer.generators import generate
from producer.generators.population import Population
from producer.generators.timeline import live
from producer.publisher import Publisher, unix_milliseconds
from producer.registry import registered_id
from tests.conftest import Stack

RESENT_EVERY = 20


def produce(stack: Stack, *options: str) -> dict[str, int]:
    """Run the producer and return its report."""
    outcome = stack.pipeline("produce", "--json", *options)
    assert outcome.returncode == 0, outcome.stderr
    report: dict[str, int] = json.loads(outcome.stdout.splitlines()[-1])
    return report


def verification(stack: Stack, timeout_seconds: int = 60) -> dict[str, Any]:
    """Return the accounts, exact or not."""
    outcome = stack.pipeline(
        "verify", "--json", "--timeout", str(timeout_seconds), timeout_seconds=timeout_seconds + 60
    )
    assert "Traceback" not in outcome.stderr, outcome.stderr
    document: dict[str, Any] = json.loads(outcome.stdout)
    assert outcome.returncode == (0 if document["ok"] else 1)
    return document


def exact(stack: Stack, timeout_seconds: int = 150) -> dict[str, Any]:
    """Wait until everything is through and proven exact, and return the accounts."""
    accounts = verification(stack, timeout_seconds)
    assert accounts["ok"], accounts
    return accounts


def server(stack: Stack, name: str) -> ServerState:
    """Return what the launcher knows of a server, whatever state the others are in."""
    return StateDir(stack.state_dir).read().servers[name]


def process_of(stack: Stack, name: str) -> psutil.Process:
    """Return a server's process."""
    running = server(stack, name).process
    assert running is not None, name
    return psutil.Process(running.pid)


def runs(stack: Stack) -> bool:
    """Whether nobody need do anything: every server, connector and task runs."""
    status = stack.pipeline("status", "--json")
    return bool(status.stdout) and bool(json.loads(status.stdout)["ok"])


def killed(stack: Stack, name: str) -> None:
    """Kill a server as the kernel's out-of-memory killer would."""
    process_of(stack, name).kill()


class Load:
    """A producer that is at work before a fault begins: it needs the registry and a first connection no more."""

    def __init__(self, stack: Stack) -> None:
        schema = load_schema("user-events-value")
        registry = Endpoint(stack.schema_registry_url)
        self._encode = encoder_for(schema, registered_id(registry, "user-events-value", schema)).encode
        self._publisher = Publisher({"bootstrap.servers": stack.kafka_bootstrap_servers}, threading.Event())
        now = datetime.now(UTC)
        self._events = generate("session", time.time_ns(), Population(500, 1), live(now, None, unix_milliseconds))

    def send(self, events: int, *, poison: int) -> None:
        """Send events at full speed, every twentieth twice, and as many records of poison among them.

        Poison is in turn what no converter reads and what no table holds.
        """
        bad = {events * (number + 1) // (poison + 1): number for number in range(poison)}
        for number, event in enumerate(islice(self._events, events)):
            key, value = event["user_id"], self._encode(event)
            self._publisher.send("user-events", key, value)
            if number % RESENT_EVERY == 0:
                self._publisher.send("user-events", key, value)
            if number in bad:
                spoilt = {**event, "event_id": str(uuid4()), "watched_percent": 101}
                self._publisher.send("user-events", key, self._encode(spoilt) if bad[number] % 2 else b"no Avro")
        self._publisher.finish()
        assert not self._publisher.failed, self._publisher.failures
