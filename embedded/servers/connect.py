"""Kafka Connect: one distributed worker, whose environment holds the addresses and secrets of connectors."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.errors import InstallationError
from embedded.servers.http import answers_ok
from embedded.servers.interface import DATABASE, DATABASE_USER, Launch, Stack, properties
from embedded.servers.jvm import class_path, java_arguments, jmx_metrics_url, logging_option, metrics_option

_YEAR_MS = 365 * 86_400_000


@dataclass(frozen=True)
class Connect:
    """The Connect worker."""

    stack: Stack
    name: str = "connect"
    # Its long scan of plugins needs nobody, and then it retries until the broker is there.
    needs: tuple[str, ...] = ()
    stop_seconds: float = 30

    def address(self) -> str:
        """Return the base URL of the REST API."""
        return self.stack.url("connect")

    def metrics_url(self) -> str:
        """Return where the JMX exporter answers."""
        return jmx_metrics_url(self.stack, "connect")

    def prepare(self) -> None:
        """Write ``worker.properties``."""
        self.stack.state_dir.write_text("connect/worker.properties", properties(self.settings()))

    def launch(self) -> Launch:
        """Return the worker's process."""
        arguments = java_arguments(
            self.stack, 640, [logging_option(self.stack, "connect"), metrics_option(self.stack, "connect")]
        )
        configuration = self.stack.state_dir.server_dir("connect") / "worker.properties"
        environment = {
            **class_path(self.stack.installation.connect),
            "PG_JDBC_URL": f"jdbc:postgresql://{self.stack.address('postgres')}/{DATABASE}?connectTimeout=10",
            "PG_USER": DATABASE_USER,
            "PG_PASSWORD": self.stack.password,
        }
        return Launch([*arguments, "org.apache.kafka.connect.cli.ConnectDistributed", configuration], environment)

    def is_ready(self) -> bool:
        """Ask whether the worker has joined its group and handles requests."""
        return answers_ok(f"{self.address()}/health")

    def settings(self) -> dict[str, object]:
        """Return the worker's settings; the container stack has the same ones in docker/connect."""
        if self.stack.installation.connect_plugins is None:
            raise InstallationError("the Connect plugins are not installed; run: python -m embedded up")
        converter = {
            "apicurio.registry.url": f"{self.stack.url('registry')}/apis/registry/v2",
            "apicurio.registry.as-confluent": "true",
            "apicurio.registry.use-id": "contentId",
            "apicurio.registry.headers.enabled": "false",
            # What an id stands for never changes. By default a schema is asked for anew every 30 s; since it is
            # another object then, the converter compares it field by field for each record.
            "apicurio.registry.check-period-ms": 10 * _YEAR_MS,
        }
        return {
            "bootstrap.servers": self.stack.address("kafka"),
            "group.id": "connect",
            "listeners": self.address(),
            "rest.advertised.host.name": "127.0.0.1",
            "rest.advertised.port": self.stack.ports["connect"],
            "config.storage.topic": "connect-configs",
            "config.storage.replication.factor": 1,
            "offset.storage.topic": "connect-offsets",
            "offset.storage.replication.factor": 1,
            "offset.storage.partitions": 4,
            "status.storage.topic": "connect-status",
            "status.storage.replication.factor": 1,
            "status.storage.partitions": 2,
            "plugin.path": self.stack.installation.connect_plugins,
            # The converter comes without a service manifest, so manifests alone do not find it.
            "plugin.discovery": "hybrid_warn",
            "config.providers": "env",
            "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
            "connector.client.config.override.policy": "All",
            "offset.flush.interval.ms": 1000,
            "scheduled.rebalance.max.delay.ms": 5000,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "useranalytics.registry.WaitingConverter",
            **{f"value.converter.{name}": value for name, value in converter.items()},
        }
