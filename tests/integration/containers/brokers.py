"""The brokers of docker-compose.yml's cluster as their image starts them, but on loopback and free ports.

Kafka's image makes the properties from the environment and formats the storage with ``KafkaDockerWrapper``, which is
in Kafka's own archive.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from embedded.installation import Installation, install
from embedded.ports import choose_ports
from tests.conftest import ROOT
from tests.unit.containers.test_compose import services, settings_of

_ADDRESS = re.compile(r"(?:(?<=//)|(?<=@))([\w.-]*):(\d+)")
_LOGGING = "Configuration: {Appenders: {}, Loggers: {Root: {level: warn}, Logger: []}}\n"


@dataclass
class Broker:
    """One broker: its directory, the environment of its service, where clients reach it, and its process."""

    directory: Path
    environment: Mapping[str, str]
    address: str
    installation: Installation
    process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Do what the image does before it starts the broker."""
        folders = [self.directory / kind for kind in ("default", "mounted", "final")]
        for folder in folders:
            folder.mkdir(parents=True)
        (folders[0] / "server.properties").touch()
        for name in ("log4j2.yaml", "tools-log4j2.yaml"):
            (folders[0] / name).write_text(_LOGGING)
        options = zip(("--default-configs-dir", "--mounted-configs-dir", "--final-configs-dir"), folders, strict=True)
        arguments = [str(part) for option in options for part in option]
        command = [self._java, "kafka.docker.KafkaDockerWrapper", "setup", *arguments]
        outcome = subprocess.run(command, env=self._variables, capture_output=True, text=True, check=False, timeout=120)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr

    def start(self) -> None:
        """Start the process; it answers some seconds later."""
        memory = self.environment["KAFKA_HEAP_OPTS"].split()
        command = [self._java, *memory, "-XX:TieredStopAtLevel=1", "kafka.Kafka"]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, str(self.directory / "final/server.properties")],
                env=self._variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """End the process as a crash of the machine would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=60)

    @property
    def _java(self) -> str:
        assert self.installation.java is not None
        return str(self.installation.java.executable)

    @property
    def _variables(self) -> dict[str, str]:
        return {"CLASSPATH": os.pathsep.join(map(str, self.installation.broker)), **self.environment}


@contextmanager
def cluster(directory: Path) -> Iterator[dict[str, Broker]]:
    """Run the brokers of the profile `cluster`; yields them by the names of their services."""
    variables = {name: value or "" for name, value in dotenv_values(ROOT / "docker/cluster.env").items()}
    names = [name for name, service in services().items() if "KAFKA_NODE_ID" in service.get("environment", {})]
    settings = {name: settings_of(name, variables) for name in names}
    addressed = {
        _address(found, name)
        for name, environment in settings.items()
        for value in environment.values()
        for found in _ADDRESS.finditer(value)
    }
    ports = choose_ports(sorted(addressed), {})
    installation = install({"kafka"})
    brokers = {}
    for name, declared in settings.items():
        environment = {setting: _on_loopback(value, name, ports) for setting, value in declared.items()}
        environment["KAFKA_LOG_DIRS"] = str(directory / name / "data")
        address = environment["KAFKA_ADVERTISED_LISTENERS"].rpartition("HOST://")[2]
        brokers[name] = Broker(directory / name, environment, address, installation)
    try:
        for broker in brokers.values():
            broker.prepare()
            broker.start()
        yield brokers
    finally:
        for broker in brokers.values():
            broker.kill()


def _address(found: re.Match[str], service: str) -> str:
    """Return whose port a setting names; without a host, and on the host of the containers, it is the service's own."""
    return f"{service if found[1] in ('', '127.0.0.1') else found[1]}:{found[2]}"


def _on_loopback(value: str, service: str, ports: Mapping[str, int]) -> str:
    return _ADDRESS.sub(lambda found: f"127.0.0.1:{ports[_address(found, service)]}", value)
