"""What other threads may ask of a session while it works."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from embedded.ksql.operators.stores import KeyedStore
from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.query_settings import query_settings
from embedded.ksql.runtime.session import Cluster, QueryDefinition, Session, Statistics
from tests.unit.ksql_operators.replay import Replay

STATEMENTS = """
CREATE STREAM clicks (who STRING KEY, n INT) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE TABLE totals AS SELECT who, COUNT(*) AS n FROM clicks GROUP BY who;
"""


@pytest.fixture
def session() -> Iterator[Session]:
    replay = Replay()
    replay.run(STATEMENTS)
    definition = QueryDefinition("CTAS_TOTALS_1", replay.queries[0].plan, query_settings({}))
    topics = SimpleNamespace(partitions=lambda _: 1)
    made = Session(definition, Cluster(KafkaClients({}), topics, None, "s_"), Statistics())  # type: ignore[arg-type]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield made
    sys.setswitchinterval(before)
    made.close()


def test_rows_of_state_are_counted_while_they_change(session: Session) -> None:
    (store,) = session.topology.stores
    assert isinstance(store, KeyedStore)

    def change() -> None:
        for number in range(20_000):
            with session.lock:
                store.put(str(number).encode(), (1,))

    with ThreadPoolExecutor(1) as threads:
        changing = threads.submit(change)
        counted = [session.state_rows()]
        while not changing.done():
            counted.append(session.state_rows())
    changing.result()
    assert counted == sorted(counted)
    assert session.state_rows() == 20_000
