"""Apicurio Registry, its schemas stored in our PostgreSQL so that ids survive a restart."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.errors import InstallationError
from embedded.ports import HOST
from embedded.servers.http import answers_ok
from embedded.servers.interface import DATABASE_USER, REGISTRY_DATABASE, Launch, Stack
from embedded.servers.jvm import java_arguments


@dataclass(frozen=True)
class Registry:
    """The schema registry."""

    stack: Stack
    name: str = "registry"
    needs: tuple[str, ...] = ("postgres",)
    stop_seconds: float = 15

    def address(self) -> str:
        """Return the base URL of the Confluent-compatible API."""
        return f"{self.stack.url('registry')}/apis/ccompat/v7"

    def metrics_url(self) -> str:
        """Return Quarkus' own endpoint, on the management port."""
        return f"{self.stack.url('registry-management')}/metrics"

    def prepare(self) -> None:
        """Create its directory."""
        self.stack.state_dir.server_dir("registry").mkdir(parents=True, exist_ok=True)

    def launch(self) -> Launch:
        """Return the registry's process; the password travels in its environment."""
        home = self.stack.installation.registry
        if home is None:
            raise InstallationError("the registry is not installed; run: python -m embedded up")
        options = [f"-D{name}={value}" for name, value in self.settings().items()]
        arguments = java_arguments(self.stack, 256, options)
        return Launch(
            [*arguments, "-jar", home / "quarkus-run.jar"], {"APICURIO_DATASOURCE_PASSWORD": self.stack.password}
        )

    def settings(self) -> dict[str, object]:
        """Return Quarkus' settings; the container stack has the same ones in its environment."""
        return {
            "quarkus.http.host": HOST,
            "quarkus.http.port": self.stack.ports["registry"],
            "quarkus.management.host": HOST,
            "quarkus.management.port": self.stack.ports["registry-management"],
            "apicurio.storage.kind": "sql",
            "apicurio.storage.sql.kind": "postgresql",
            "apicurio.datasource.url": f"jdbc:postgresql://{self.stack.address('postgres')}/{REGISTRY_DATABASE}",
            "apicurio.datasource.username": DATABASE_USER,
            "apicurio.datasource.jdbc.initial-size": 2,
            "apicurio.datasource.jdbc.min-size": 2,
            "apicurio.datasource.jdbc.max-size": 10,
        }

    def is_ready(self) -> bool:
        """Ask for the list of subjects, which reads the database."""
        return answers_ok(f"{self.address()}/subjects")
