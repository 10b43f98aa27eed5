"""What the engine's process is told by its environment: ``PIPELINE_*`` variables."""

from __future__ import annotations

import logging

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from access.http import Endpoint, HttpAccess
from access.kafka import KafkaAccess

LARGEST_PORT = 65_535


class Settings(KafkaAccess, HttpAccess, BaseSettings):
    """Addresses, names and client security of one engine."""

    model_config = SettingsConfigDict(env_prefix="PIPELINE_", extra="ignore", hide_input_in_errors=True)

    schema_registry_url: str | None = None
    ksqldb_listener: str = "127.0.0.1:8088"
    ksqldb_service_id: str = "default_"
    startup_timeout_seconds: float = Field(default=60, gt=0, alias="PIPELINE_KSQLDB_STARTUP_TIMEOUT_SECONDS")
    log_level: str = "info"

    schema_registry_username: str | None = None
    schema_registry_password: SecretStr | None = None

    @field_validator("log_level")
    @classmethod
    def _names_a_level(cls, level: str) -> str:
        if level.upper() not in logging.getLevelNamesMapping():
            raise ValueError(f"expected debug, info, warning or error, got '{level}'")
        return level

    @field_validator("ksqldb_listener")
    @classmethod
    def _names_host_and_port(cls, listener: str) -> str:
        host, _, port = listener.rpartition(":")
        if not host or not port.isdecimal() or int(port) > LARGEST_PORT:
            raise ValueError(f"expected host:port, got '{listener}'")
        return listener

    def registry(self) -> Endpoint | None:
        """Return the Schema Registry with its credentials, or None where there is none."""
        if self.schema_registry_url is None:
            return None
        return self.endpoint(self.schema_registry_url, self.schema_registry_username, self.schema_registry_password)


def setting_name(field: str) -> str:
    """Return the environment variable of a field."""
    prefix = Settings.model_config.get("env_prefix", "")
    return field.upper() if field.startswith(prefix) else f"{prefix}{field.upper()}"
