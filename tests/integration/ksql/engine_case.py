"""What one test of a running engine has: names of its own, a source topic, Kafka."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from embedded.ksql.runtime.clients import KafkaClients
from pipeline.waiting import wait_until
from tests.integration.ksql.engine_process import EngineProcess
from tests.integration.ksql.topic import create_topic, write

SECONDS = 60.0


@dataclass
class Case:
    """One test's part of an engine."""

    clients: KafkaClients
    engine: EngineProcess
    name: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}")

    def declare(self) -> None:
        create_topic(self.clients, f"{self.name}-in", 1)
        self.engine.execute(
            f"CREATE STREAM {self.name} (who STRING KEY, n INT) "
            f"WITH (KAFKA_TOPIC='{self.name}-in', VALUE_FORMAT='JSON');"
        )

    def copy(self, name: str) -> str:
        """Start a query that copies the source; return its id."""
        self.engine.execute(
            f"CREATE STREAM {name} WITH (KAFKA_TOPIC='{name}', PARTITIONS=1) AS SELECT who, n FROM {self.name};"
        )
        return self.engine.query_id(name.upper())

    def write(self, *numbers: int) -> None:
        write(self.clients, f"{self.name}-in", [("a", {"n": number}) for number in numbers])

    def metric(self, name: str, query_id: str) -> float:
        return self.engine.metrics()[f"ksql_query_{name}{{{query_id}}}"]

    def await_metric(self, name: str, query_id: str, value: float) -> None:
        wait_until(
            lambda: self.metric(name, query_id) == value,
            awaiting=f"{name} of {query_id} to be {value}",
            timeout_seconds=SECONDS,
        )
