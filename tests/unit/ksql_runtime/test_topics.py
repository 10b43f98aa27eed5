"""A broker that is away is told from a request that it refuses: the first is tried again."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from embedded.ksql.errors import UnavailableError
from embedded.ksql.runtime import topics as topics_module
from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.topics import Topics


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Iterator[Topics]:
    """Topics of a broker at whose address nothing listens."""
    monkeypatch.setattr(topics_module, "TIMEOUT_SECONDS", 1.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Topics(KafkaClients({"bootstrap.servers": f"127.0.0.1:{taken.getsockname()[1]}"}))


@pytest.mark.parametrize(
    "ask",
    [
        lambda topics: topics.create("clicks", 1, 1, {}),
        lambda topics: topics.config("clicks"),
        lambda topics: topics.cluster_id(),
        lambda topics: topics.all(fresh=True),
    ],
    ids=["create", "config", "cluster_id", "all"],
)
def test_a_broker_that_is_away_is_unavailable(topics: Topics, ask: Callable[[Topics], object]) -> None:
    with pytest.raises(UnavailableError, match=r"(?i)timed out|transport"):
        ask(topics)


def test_an_answer_that_never_comes_makes_it_unavailable_too(topics: Topics, monkeypatch: pytest.MonkeyPatch) -> None:
    class Admin:
        def describe_cluster(self, **_: object) -> Future[object]:
            return Future()

    monkeypatch.setattr(topics_module, "RESULT_SECONDS", 0.01)
    monkeypatch.setattr(topics, "_admin", Admin())
    with pytest.raises(UnavailableError, match=r"did not answer within 0\.01 s"):
        topics.cluster_id()
