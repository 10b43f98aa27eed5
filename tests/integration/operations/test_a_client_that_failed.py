"""What becomes of a Kafka client whose requests failed."""

from __future__ import annotations

import gc
import weakref

import pytest

from embedded.ports import choose_ports
from pipeline.clients import kafka as module
from pipeline.clients.kafka import Kafka
from pipeline.errors import ServerError


def test_a_client_whose_requests_failed_goes_when_nobody_uses_it_and_not_at_the_exit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.5)
    kafka = Kafka({"bootstrap.servers": f"127.0.0.1:{choose_ports(['nobody'], {})['nobody']}"})
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
