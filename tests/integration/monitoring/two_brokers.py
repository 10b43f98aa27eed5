"""A cluster of two brokers: an embedded one, which is the controller, too, and one that joins it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from embedded.ports import choose_ports
from embedded.servers.interface import properties
from embedded.state import StateDir
from pipeline.waiting import wait_until
from tests.conftest import read_environment, running_servers
from tests.further_servers import settings_of

FIRST, SECOND = 1, 2


@dataclass(frozen=True, slots=True)
class TwoBrokers:
    """Where the first broker is, where each tells its metrics, and the second one's process."""

    bootstrap_servers: str
    metrics: tuple[str, str]
    second: psutil.Process

    @contextmanager
    def topic(self, *replicas: int, min_insync_replicas: int = 1) -> Iterator[str]:
        """Keep a topic of one partition on these brokers."""
        name = f"on-{'-and-'.join(map(str, replicas))}-{uuid4().hex[:8]}"
        config = {"min.insync.replicas": str(min_insync_replicas)}
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers})
        placed: Any = [list(replicas)]  # its stub asks for text, its code for numbers
        topic = NewTopic(name, num_partitions=1, replica_assignment=placed, config=config)
        admin.create_topics([topic])[name].result(30)
        try:
            yield name
        finally:
            admin.delete_topics([name])[name].result(30)

    def accepts_writes(self, topic: str) -> bool:
        """Whether every replica that must acknowledge a record does so within seconds."""
        errors: list[object] = []
        settings = {"acks": "all", "message.timeout.ms": 3000, "log_level": 0}
        producer = Producer({"bootstrap.servers": self.bootstrap_servers, **settings})
        producer.produce(topic, b"", on_delivery=lambda error, _: errors.append(error))
        assert producer.flush(30) == 0
        # == between a KafkaError and None leaves an exception behind, which surfaces anywhere.
        return all(error is None for error in errors)


@contextmanager
def two_brokers(directory: Path) -> Iterator[TwoBrokers]:
    """Run both brokers, their data and logs in the directory."""
    with running_servers(directory, "--only", "kafka") as addresses:
        running = StateDir(directory).read().servers["kafka"].process
        assert running is not None
        bootstrap = addresses["PIPELINE_KAFKA_BOOTSTRAP_SERVERS"]
        with _second_broker(psutil.Process(running.pid), directory) as (second, metrics):
            admin = AdminClient({"bootstrap.servers": bootstrap})
            wait_until(
                lambda: SECOND in admin.list_topics(timeout=10).brokers,
                awaiting="the second broker to join",
                timeout_seconds=120,
            )
            first_metrics = urlsplit(addresses["PIPELINE_KAFKA_METRICS_URL"]).netloc
            yield TwoBrokers(bootstrap, (first_metrics, metrics), second)


@contextmanager
def _second_broker(first: psutil.Process, directory: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Run a broker with the first one's settings, Java options and metrics, on ports of its own."""
    ports = choose_ports(["broker", "metrics"], {})
    metrics = f"127.0.0.1:{ports['metrics']}"
    configuration = _configure(first, ports["broker"], directory / "kafka-2")
    options = [re.sub(r"(-javaagent:.*=)127\.0\.0\.1:\d+", rf"\g<1>{metrics}", each) for each in first.cmdline()[:-1]]
    with (directory / "logs" / "kafka-2.log").open("wb") as log:
        process = subprocess.Popen([*options, str(configuration)], env=first.environ(), stdout=log, stderr=log)
        try:
            yield psutil.Process(process.pid), metrics
        finally:
            process.kill()
            process.wait(60)


def _configure(first: psutil.Process, port: int, directory: Path) -> Path:
    """Write the second broker's settings down and format its storage for the first one's cluster."""
    settings = settings_of(first)
    cluster = read_environment(Path(settings["log.dirs"]) / "meta.properties")["cluster.id"]
    listener = f"PLAINTEXT://127.0.0.1:{port}"
    settings |= {"process.roles": "broker", "node.id": str(SECOND), "log.dirs": str(directory / "data")}
    settings |= {"listeners": listener, "advertised.listeners": listener}
    directory.mkdir()
    configuration = directory / "server.properties"
    configuration.write_text(properties(settings), encoding="utf-8")
    command = [first.exe(), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(configuration)]
    subprocess.run(command, env=first.environ(), check=True, capture_output=True, timeout=120)
    return configuration
