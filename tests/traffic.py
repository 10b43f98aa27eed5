"""Events that keep coming while a test looks."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.clients.kafka import Kafka
from pipeline.waiting import wait_until
from tests.conftest import ROOT, Stack


@contextmanager
def traffic(stack: Stack, *options: str, rate: int = 50) -> Iterator[None]:
    """Produce so many events a second meanwhile, the first before the block begins."""
    kafka = Kafka({"bootstrap.servers": stack.kafka_bootstrap_servers})
    ends = kafka.ends("user-events")
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "produce", "--continuous", "--rate", str(rate), *options],
        env=stack.environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: kafka.ends("user-events") != ends, awaiting="the first event", timeout_seconds=60)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
