"""The state of everything that runs, in one look."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.clients.connect import Connect, ConnectorStatus
from pipeline.clients.containers import Containers
from pipeline.clients.embedded import EmbeddedStack, Server
from pipeline.clients.kafka import Kafka
from pipeline.clients.lag import lag_records, sink_group
from pipeline.errors import PipelineError, ServerError
from pipeline.settings import LOCAL, Location, Settings, load_settings


@dataclass(frozen=True, slots=True)
class ConnectorLag:
    """A connector with how many records it has yet to write; None where that cannot be told."""

    status: ConnectorStatus
    lag_records: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """Servers that this machine runs (none where they run elsewhere) and connectors; ``error`` says what failed."""

    servers: list[Server]
    connectors: list[ConnectorLag]
    error: str | None

    @property
    def ok(self) -> bool:
        """Whether every server runs and every connector and task is RUNNING."""
        return (
            self.error is None
            and all(server.state == "running" for server in self.servers)
            and all(connector.status.running for connector in self.connectors)
        )


def look(location: Location) -> Status:
    """Collect the state of the servers and connectors. Raises SettingsError where there is nothing to look at."""
    settings = load_settings(location)
    servers = _servers(location, settings)
    try:
        statuses = Connect(settings.connect).statuses()
        kafka = Kafka(settings.kafka_config())
        topics = kafka.partitions()
    except ServerError as error:
        return Status(servers, [], str(error))
    return Status(servers, [ConnectorLag(status, _lag(kafka, status.name, set(topics))) for status in statuses], None)


def _servers(location: Location, settings: Settings) -> list[Server]:
    """Return the processes or containers that this machine runs; none where the servers are elsewhere."""
    if location.profile in {None, LOCAL}:
        return EmbeddedStack(location.state_dir).servers() if location.environment_file.exists() else []
    return Containers(settings.compose_project).servers() if settings.compose_project else []


def _lag(kafka: Kafka, connector: str, topics: set[str]) -> int | None:
    group = sink_group(connector)
    try:
        return sum(lag_records(kafka, group, topic) for topic in kafka.group_topics(group) if topic in topics)
    except PipelineError:
        return None
