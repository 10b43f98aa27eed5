"""A start while Kafka or the registry is away waits, and ends rather than leave statements out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from embedded.ksql.errors import UnavailableError
from embedded.ksql.runtime import engine as engine_module
from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.command_log import Command
from embedded.ksql.runtime.engine import Engine
from embedded.ksql.runtime.session import Cluster

STATEMENT = "CREATE STREAM CLICKS (N INT) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');"
INVALID = "CREATE STREAM CLICKS AS SELECT * FROM NOWHERE;"


@dataclass
class TopicsThatAreAway:
    """Topics that cannot be asked for some times, and which of them were deleted."""

    times: int = 0
    deleted: list[str] = field(default_factory=list)

    def partitions(self, _: str) -> int:
        if self.times > 0:
            self.times -= 1
            raise UnavailableError("Kafka does not answer")
        return 1

    def all(self, **_: object) -> list[str]:
        return ["_confluent-ksql-s_query_CTAS_T_5-aggregate-changelog"]

    def delete(self, names: list[str]) -> None:
        self.deleted += names


class Log:
    """The command topic with one command."""

    last_offset = 0

    def __init__(self, statement: str) -> None:
        self._statement = statement

    def open(self) -> None:
        pass

    def replay(self) -> list[Command]:
        return [Command("stream/CLICKS/create", self._statement, self._statement)]


def engine(topics: Any, statement: str) -> Engine:
    made = Engine(Cluster(KafkaClients({}), topics, None, "s_"))  # type: ignore[arg-type]
    made.commands = Log(statement)  # type: ignore[assignment]
    return made


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "REPLAY_WAITS_SECONDS", (0.0, 0.0))


def test_a_command_is_replayed_once_the_server_is_back() -> None:
    started = engine(TopicsThatAreAway(times=2), STATEMENT)
    started.open()
    assert list(started.catalog.sources) == ["CLICKS"]
    assert started.unreplayed == 0


def test_a_server_that_stays_away_ends_the_start_and_nothing_is_deleted() -> None:
    topics = TopicsThatAreAway(times=3)
    with pytest.raises(UnavailableError, match="Kafka does not answer"):
        engine(topics, STATEMENT).open()
    assert topics.deleted == []


def test_state_that_no_query_claims_is_deleted_only_if_every_command_was_replayed() -> None:
    topics = TopicsThatAreAway()
    started = engine(topics, INVALID)
    started.open()
    assert (started.unreplayed, topics.deleted) == (1, [])
    engine(topics, STATEMENT).open()
    assert topics.deleted == topics.all()
