"""Kafka Connect's REST API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from access.http import Endpoint
from pipeline.clients.http import HttpClient
from pipeline.errors import RejectedError

_CAUSED_BY = "Caused by: "
_WORKER_GAVE_UP = ("Exiting WorkerS", "Tolerance exceeded in error handler")  # WorkerSinkTask, WorkerSourceTask


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """One task; ``error`` is the first line of its stack trace that names a cause, or None."""

    id: int
    state: str
    error: str | None


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """A connector and its tasks."""

    name: str
    state: str
    error: str | None
    tasks: tuple[TaskStatus, ...]

    def is_all(self, state: str) -> bool:
        """Whether the connector and all of its tasks are in a state; of RUNNING ones there is at least one."""
        states = {self.state, *(task.state for task in self.tasks)}
        return states == {state} and (bool(self.tasks) or state != "RUNNING")

    @property
    def failure(self) -> str | None:
        """The first reason why something FAILED, or None."""
        if self.state == "FAILED":
            return self.error or "no reason given"
        return next((task.error or "no reason given" for task in self.tasks if task.state == "FAILED"), None)


@dataclass(frozen=True, slots=True)
class ConnectorDescription:
    """A connector with what it was configured to do; ``kind`` is sink or source."""

    status: ConnectorStatus
    kind: str
    config: dict[str, str]


@dataclass(frozen=True, slots=True)
class SinkPosition:
    """The offset that a sink reads next in a partition."""

    topic: str
    partition: int
    offset: int


def _is_rebalancing(error: BaseException) -> bool:
    return isinstance(error, RejectedError) and (
        error.status == requests.codes.conflict or "rebalance is expected" in str(error)
    )


# Connect answers 409, and 500 to some questions, while its workers rebalance; every caller would only try again.
_after_rebalance = retry(
    retry=retry_if_exception(_is_rebalancing), stop=stop_after_delay(60), wait=wait_fixed(0.25), reraise=True
)


class Connect:
    """Connectors, their status and plugins."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._http = HttpClient(endpoint, server="Kafka Connect", setting="PIPELINE_CONNECT")

    def names(self) -> list[str]:
        """Return the names of the deployed connectors."""
        return sorted(self._http.get("/connectors"))

    def sink_plugins(self) -> list[str]:
        """Return the classes of the installed sink connectors."""
        return sorted(plugin["class"] for plugin in self._http.get("/connector-plugins") if plugin["type"] == "sink")

    def config(self, name: str) -> dict[str, str] | None:
        """Return a connector's configuration as it was given, or None."""
        answer = self._http.get_or_none(f"/connectors/{quote(name, safe='')}/config")
        return answer and dict(answer)

    def validate(self, config: dict[str, str]) -> list[str]:
        """Return what the worker finds wrong with a configuration, as ``setting: reason``."""
        # The value is null for a definition that the connector's own validation passed over: those of other delegates.
        values = [item["value"] for item in self._validated(config) if item["value"] is not None]
        return [f"{value['name']}: {reason}" for value in values for reason in value["errors"]]

    def defaults(self, config: dict[str, str]) -> dict[str, str]:
        """Return the value that each setting has where a configuration leaves it out."""
        definitions = (item["definition"] for item in self._validated(config))
        return {one["name"]: str(one["default_value"]) for one in definitions if one["default_value"] is not None}

    def _validated(self, config: dict[str, str]) -> list[dict[str, Any]]:
        connector_class = quote(config["connector.class"], safe="")
        answer = self._http.request("PUT", f"/connector-plugins/{connector_class}/config/validate", config)
        return list(answer["configs"])

    @_after_rebalance
    def delete(self, name: str) -> None:
        """Delete a connector; what it has written stays."""
        self._http.request("DELETE", f"/connectors/{quote(name, safe='')}")

    @_after_rebalance
    def put(self, name: str, config: dict[str, str]) -> None:
        """Create or change a connector."""
        self._http.request("PUT", f"/connectors/{quote(name, safe='')}/config", config)

    def statuses(self) -> list[ConnectorStatus]:
        """Return the status of every connector."""
        answer = self._http.get("/connectors?expand=status")
        return [_status(answer[name]["status"]) for name in sorted(answer)]

    def status(self, name: str) -> ConnectorStatus | None:
        """Return a connector's status; None while Connect does not know it yet."""
        answer = self._http.get_or_none(f"/connectors/{quote(name, safe='')}/status")
        return answer and _status(answer)

    def describe(self) -> list[ConnectorDescription]:
        """Return every connector with status and configuration."""
        answer = self._http.get("/connectors?expand=status&expand=info")
        return [
            ConnectorDescription(_status(each["status"]), each["info"]["type"], dict(each["info"]["config"]))
            for _, each in sorted(answer.items())
        ]

    @_after_rebalance
    def pause(self, name: str) -> None:
        """Ask a connector and its tasks to pause; the answer comes before they have."""
        self._http.request("PUT", f"/connectors/{quote(name, safe='')}/pause")

    @_after_rebalance
    def resume(self, name: str) -> None:
        """Ask a paused or stopped connector to run; the answer comes before it does."""
        self._http.request("PUT", f"/connectors/{quote(name, safe='')}/resume")

    @_after_rebalance
    def stop(self, name: str) -> None:
        """Ask a connector to give up its tasks, which it keeps its place for; the answer comes before it has."""
        self._http.request("PUT", f"/connectors/{quote(name, safe='')}/stop")

    def sink_positions(self, name: str) -> list[SinkPosition]:
        """Return where a sink stands in every partition that it has read."""
        answer = self._http.get(f"/connectors/{quote(name, safe='')}/offsets")
        positions = [
            SinkPosition(
                str(each["partition"]["kafka_topic"]),
                int(each["partition"]["kafka_partition"]),
                int(each["offset"]["kafka_offset"]),
            )
            for each in answer["offsets"]
            if "kafka_topic" in each["partition"]
        ]
        return sorted(positions, key=lambda position: (position.topic, position.partition))


def _status(document: dict[str, Any]) -> ConnectorStatus:
    return ConnectorStatus(
        name=document["name"],
        state=document["connector"]["state"],
        error=first_cause(document["connector"].get("trace")),
        tasks=tuple(
            TaskStatus(id=task["id"], state=task["state"], error=first_cause(task.get("trace")))
            for task in document["tasks"]
        ),
    )


def first_cause(trace: str | None) -> str | None:
    """Return the first line of a stack trace that says more than that the worker gave up, or None without a trace."""
    if not trace:
        return None
    lines = trace.splitlines()
    causes = (line.removeprefix(_CAUSED_BY) for line in lines if line.startswith(_CAUSED_BY))
    return next((line for line in (lines[0], *causes) if not any(text in line for text in _WORKER_GAVE_UP)), lines[0])
