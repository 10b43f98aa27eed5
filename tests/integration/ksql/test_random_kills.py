"""kill -9 of the engine at random moments, while events flow through two chained queries."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from random import Random, SystemRandom
from threading import Event, Thread
from typing import Any

from embedded.ksql.runtime.clients import KafkaClients
from pipeline.waiting import wait_until
from tests.integration.ksql.engine_process import EngineProcess, Servers, engine_process
from tests.integration.ksql.topic import Reader, create_topic

EVENTS = 100_000
USERS = 500
RESENT = 0.05
KILLS = 5
LONGEST_START_SECONDS = 4.0
FLUSH_SECONDS = 120.0
PULL_SECONDS = 60.0

STATEMENTS = """
CREATE STREAM clicks (who STRING KEY, id STRING, amount INT) WITH (KAFKA_TOPIC='kills-clicks', VALUE_FORMAT='JSON');
CREATE TABLE firsts WITH (KAFKA_TOPIC='kills-firsts', VALUE_FORMAT='JSON', PARTITIONS=4) AS
  SELECT id, EARLIEST_BY_OFFSET(who) AS who, EARLIEST_BY_OFFSET(amount) AS amount, COUNT(*) AS seen
  FROM clicks WINDOW TUMBLING (SIZE 1 DAY, RETENTION 4 DAYS, GRACE PERIOD 3 DAYS)
  GROUP BY id HAVING COUNT(*) = 1;
CREATE STREAM once (who STRING, amount INT) WITH (KAFKA_TOPIC='kills-firsts', VALUE_FORMAT='JSON');
CREATE TABLE totals WITH (KAFKA_TOPIC='kills-totals', VALUE_FORMAT='JSON', PARTITIONS=4) AS
  SELECT who, COUNT(*) AS n, SUM(amount) AS total FROM once WHERE who IS NOT NULL GROUP BY who;
"""

Click = tuple[str, str, int]


def test_tables_are_exact_although_the_engine_is_killed_again_and_again(stack: Servers, tmp_path: Path) -> None:
    seed = SystemRandom().randrange(1 << 32)
    random = Random(seed)
    clients = KafkaClients({"bootstrap.servers": stack.kafka_bootstrap_servers})
    create_topic(clients, "kills-clicks")
    clicks, resent = some_clicks(random)
    with engine_process(stack, "kills_", tmp_path) as engine:
        engine.execute(STATEMENTS)
        half_way = Event()
        producing = Thread(target=produce, args=(clients, [*clicks, *resent], half_way))
        producing.start()
        totals = Reader(clients, "kills-totals")
        kill_while_running(engine, totals, random)
        half_way.set()
        producing.join(FLUSH_SECONDS)
        expected = totals_of(clicks)
        updates = defaultdict(list)
        totals.until(len(clicks))
        for message in totals.rest():
            updates[(message.key() or b"").decode()].append(json.loads(message.value() or b"")["N"])
        for who, (count, _) in expected.items():
            assert updates[who] == list(range(1, count + 1)), f"seed {seed}: {who} was counted {updates[who]}"
        assert updates.keys() == expected.keys()
        pulled = wait_until(lambda: rows(engine), awaiting="pull queries", timeout_seconds=PULL_SECONDS)
        assert pulled == expected, f"seed {seed}"
    check_firsts(clients, clicks, resent, f"seed {seed}")


def some_clicks(random: Random) -> tuple[list[Click], list[Click]]:
    """Return distinct clicks, and those of them that are sent again."""
    distinct = int(EVENTS * (1 - RESENT))
    clicks = [(f"user-{random.randrange(USERS)}", f"{number:06}", random.randrange(1000)) for number in range(distinct)]
    return clicks, random.sample(clicks, EVENTS - distinct)


def produce(clients: KafkaClients, clicks: list[Click], half_way: Event) -> None:
    """Produce all clicks; the second half only when the engine has been killed often enough."""
    producer = clients.producer()
    for number, (who, identity, amount) in enumerate(clicks):
        if number == len(clicks) // 2:
            half_way.wait()
        producer.produce("kills-clicks", json.dumps({"id": identity, "amount": amount}).encode(), who.encode())
        producer.poll(0)
    assert producer.flush(FLUSH_SECONDS) == 0


def kill_while_running(engine: EngineProcess, totals: Reader, random: Random) -> None:
    """Kill the engine after some more results, and again at any moment of its start."""
    for number in range(KILLS):
        totals.until(len(totals.messages) + random.randrange(1, EVENTS // 3 // KILLS))
        engine.kill()
        engine.start()
        if number % 2:
            # There is nothing to wait for: the moment is the point.
            Event().wait(random.uniform(0, LONGEST_START_SECONDS))
            engine.kill()
            engine.start()
    engine.wait()


def totals_of(clicks: list[Click]) -> dict[str, tuple[int, int]]:
    """Return count and sum a user, each click once."""
    found: dict[str, tuple[int, int]] = {}
    for who, _, amount in clicks:
        count, total = found.get(who, (0, 0))
        found[who] = count + 1, total + amount
    return found


def rows(engine: EngineProcess) -> dict[str, tuple[int, int]]:
    """Return what a pull query says."""
    return {who: (count, total) for who, count, total in engine.query("SELECT * FROM totals;")}


def check_firsts(clients: KafkaClients, clicks: list[Click], resent: list[Click], which: str) -> None:
    """Check that each click came once, and that a tombstone followed for each that was sent again."""
    reader = Reader(clients, "kills-firsts")
    reader.until(len(clicks) + len(resent))
    records: dict[bytes, list[Any]] = defaultdict(list)
    for message in reader.rest():
        value = message.value()
        records[(message.key() or b"")[:-8]].append(None if value is None else json.loads(value)["AMOUNT"])
    expected: dict[bytes, list[int | None]] = {identity.encode(): [amount] for _, identity, amount in clicks}
    for _, identity, _ in resent:
        expected[identity.encode()].append(None)
    assert records == expected, which
