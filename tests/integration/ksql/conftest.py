from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from embedded.ksql.runtime.clients import KafkaClients
from tests.integration.ksql.engine_case import Case
from tests.integration.ksql.engine_process import EngineProcess, Servers, engine_process


@pytest.fixture(scope="session")
def own_engine(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine that only the tests of this directory use."""
    with engine_process(stack, f"own_{uuid.uuid4().hex[:6]}_", tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture
def case(stack: Servers, own_engine: EngineProcess) -> Case:
    made = Case(KafkaClients({"bootstrap.servers": stack.kafka_bootstrap_servers}), own_engine)
    made.declare()
    return made
