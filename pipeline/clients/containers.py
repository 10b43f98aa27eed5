"""The containers that `docker compose` made of docker-compose.yml, through the engine's own API.

Creating and removing them is left to compose, which knows the file; what is there already is started, stopped, shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from graphlib import TopologicalSorter
from typing import Any

from pipeline.clients.embedded import Server
from pipeline.errors import PipelineError, SettingsError, UnreachableError
from pipeline.waiting import wait_until

_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_ONE_OFF = "com.docker.compose.oneoff"
_DEPENDS_ON = "com.docker.compose.depends_on"
_READY_SECONDS = 300.0
_STOP_SECONDS = 60  # Kafka and Connect end well within; then they are killed


class Containers:
    """The containers of one compose project. Raises UnreachableError where no container engine answers."""

    def __init__(self, project: str) -> None:
        self._project = project

    @cached_property
    def _engine(self) -> Any:
        return _connect()

    def up(self, show: Callable[[Server], None]) -> None:
        """Start those that do not run, each when all those that it depends on are healthy.

        Raises PipelineError where there are none, NotReadyError naming the first that does not become healthy.
        """
        for wave in waves(self._containers()):
            for container in wave:
                container.start()
            for container in wave:
                name = container.labels[_SERVICE]
                show(
                    wait_until(
                        partial(self._running, name),
                        awaiting=f"container {name} to be healthy (docker compose logs {name})",
                        timeout_seconds=_READY_SECONDS,
                    )
                )

    def down(self) -> None:
        """Stop them, each after those that depend on it; they and their data stay."""
        for wave in reversed(waves(self._containers())):
            with ThreadPoolExecutor(len(wave)) as pool:
                list(pool.map(_stop, wave))

    def servers(self) -> list[Server]:
        """Return the containers as `pipeline status` shows servers."""
        return [_server(container) for container in self._containers()]

    def _running(self, name: str) -> Server | None:
        return next((server for server in self.servers() if server.name == name and server.state == "running"), None)

    def _containers(self) -> list[Any]:
        labels = [f"{_PROJECT}={self._project}", f"{_ONE_OFF}=False"]
        found: list[Any] = self._engine.containers.list(all=True, filters={"label": labels})
        if not found:
            raise PipelineError(f"there are no containers of {self._project}; create them with `make docker-up`")
        return sorted(found, key=lambda container: str(container.labels[_SERVICE]))


def waves(containers: Sequence[Any]) -> list[list[Any]]:
    """Group containers so that each comes after all those that compose says it depends on."""
    by_name = {str(container.labels[_SERVICE]): container for container in containers}
    sorter: TopologicalSorter[str] = TopologicalSorter(
        {name: _needs(container) & by_name.keys() for name, container in by_name.items()}
    )
    sorter.prepare()
    found = []
    while sorter.is_active():
        ready = sorter.get_ready()
        found.append([by_name[name] for name in sorted(ready)])
        sorter.done(*ready)
    return found


def _needs(container: Any) -> set[str]:
    """Read compose's label, such as ``kafka:service_healthy:false,registry:service_healthy:false``."""
    entries = str(container.labels.get(_DEPENDS_ON, "")).split(",")
    return {entry.partition(":")[0] for entry in entries if entry}


def _stop(container: Any) -> None:
    container.stop(timeout=_STOP_SECONDS)


def _connect() -> Any:
    try:
        import docker  # noqa: PLC0415 - an extra that only this needs
        from docker.errors import DockerException  # noqa: PLC0415
    except ImportError as error:
        message = "the docker SDK is missing; install the extra: pip install 'user-analytics-pipeline[containers]'"
        raise SettingsError(message) from error
    try:
        engine = docker.from_env(timeout=60)
        engine.ping()
    except DockerException as error:
        reason = str(error).partition("(")[0].strip(" :") or type(error).__name__
        message = (
            f"no container engine answers ({reason}). Start Docker, or say where it is with DOCKER_HOST; without one, "
            "the embedded stack needs none: pipeline up"
        )
        raise UnreachableError(message) from error
    return engine


def _server(container: Any) -> Server:
    state = container.attrs["State"]
    published = container.attrs["NetworkSettings"]["Ports"] or {}
    bound = [binding for bindings in published.values() for binding in bindings or ()]
    status = str(state["Status"])
    health = str(state.get("Health", {}).get("Status", "healthy"))
    return Server(
        name=str(container.labels[_SERVICE]),
        pid=state["Pid"] or None,
        address=", ".join(f"{binding['HostIp']}:{binding['HostPort']}" for binding in bound),
        metrics_url="",
        state=health if status == "running" and health != "healthy" else status,
        rss_bytes=_memory_bytes(container) if status == "running" else 0,
        restarts=int(container.attrs["RestartCount"]),
        reason=str(state.get("Error", "")),
    )


def _memory_bytes(container: Any) -> int:
    return int(container.stats(stream=False, one_shot=True)["memory_stats"].get("usage", 0))
