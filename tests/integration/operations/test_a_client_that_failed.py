"""What becomes of a Kafka client whose requests failed."""

from __future__ import annotations

import gc
import weakref

import pytest

from embedded.ports import choose_ports
from pipeline.clients import kafka as module
from pipeline.clients.kafka import Kafka
from pipeline.errors import ServerError


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.5)


def alone() -> Kafka:
    return Kafka({"bootstrap.servers": f"127.0.0.1:{choose_ports(['nobody'], {})['nobody']}"})


def test_groups_that_no_broker_tells_are_an_error_and_not_none() -> None:
    with pytest.raises(ServerError, match="Kafka does not answer"):
        alone().groups()


def test_a_client_whose_requests_failed_goes_when_nobody_uses_it_and_not_at_the_exit() -> None:
    kafka = alone()
    gone = weakref.ref(kafka)
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(ServerError):
            kafka.group_topics("g")
        del kafka
        assert gone() is None
    finally:
        gc.enable()
