"""Apache Kafka: one KRaft node that is broker and controller."""

from __future__ import annotations

import base64
import logging
import subprocess
import uuid
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from embedded.errors import ServerFailedError
from embedded.ports import answers
from embedded.servers.interface import Launch, Stack, base_environment, properties
from embedded.servers.jvm import class_path, java_arguments, jmx_metrics_url, logging_option, metrics_option

_QUIET = logging.getLogger("embedded.servers.kafka.probe")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


@dataclass(frozen=True)
class Kafka:
    """The broker."""

    stack: Stack
    name: str = "kafka"
    needs: tuple[str, ...] = ()
    stop_seconds: float = 30

    def address(self) -> str:
        """Return the bootstrap address."""
        return self.stack.address("kafka")

    def metrics_url(self) -> str:
        """Return where the JMX exporter answers."""
        return jmx_metrics_url(self.stack, "kafka")

    def prepare(self) -> None:
        """Write ``server.properties``; format the storage once."""
        state = self.stack.state_dir
        path = state.write_text("kafka/server.properties", properties(self._settings()))
        if (state.server_dir("kafka") / "data" / "meta.properties").exists():
            return
        # A cluster id is a UUID in URL-safe base64; one starting with a dash would be read as an option.
        identifier = "-"
        while identifier.startswith("-"):
            identifier = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = java_arguments(self.stack, 128, [logging_option(self.stack, "kafka")])
        command = [*map(str, arguments), "kafka.tools.StorageTool", "format", "-t", identifier, "-c", str(path)]
        environment = base_environment() | class_path(self.stack.installation.broker)
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        if result.returncode != 0:
            raise ServerFailedError(f"Kafka cannot format {path.parent / 'data'}:\n{result.stdout}{result.stderr}")

    def launch(self) -> Launch:
        """Return the broker's process."""
        arguments = java_arguments(
            self.stack, 384, [logging_option(self.stack, "kafka"), metrics_option(self.stack, "kafka")]
        )
        configuration = self.stack.state_dir.server_dir("kafka") / "server.properties"
        return Launch([*arguments, "kafka.Kafka", configuration], class_path(self.stack.installation.broker))

    def is_ready(self) -> bool:
        """Ask for the cluster's metadata."""
        if not answers(self.stack.ports["kafka"]):
            return False
        client = AdminClient({"bootstrap.servers": self.address(), "logger": _QUIET})
        try:
            return bool(client.list_topics(timeout=5).brokers)
        except KafkaException:
            return False

    def _settings(self) -> dict[str, object]:
        broker, controller = self.stack.address("kafka"), self.stack.address("kafka-controller")
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.stack.state_dir.server_dir("kafka") / "data",
            "auto.create.topics.enable": "false",
            "default.replication.factor": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            # A week by default, after which a consumer that heard nothing begins anew. This is the largest there is.
            "offsets.retention.minutes": 2**31 - 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
            # 128 MB of heap by default; this is enough for a million keys per cleaning.
            "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,
        }
