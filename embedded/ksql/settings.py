"""What the engine's process is told by its environment: ``PIPELINE_*`` variables."""

from __future__ import annotations

import logging

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LARGEST_PORT = 65_535


class Settings(BaseSettings):
    """Addresses, names and client security of one engine."""

    model_config = SettingsConfigDict(env_prefix="PIPELINE_", extra="ignore")

    kafka_bootstrap_servers: str = Field(min_length=1)
    schema_registry_url: str | None = None
    ksqldb_listener: str = "127.0.0.1:8088"
    ksqldb_service_id: str = "default_"
    startup_timeout_seconds: float = Field(default=60, gt=0, alias="PIPELINE_KSQLDB_STARTUP_TIMEOUT_SECONDS")
    log_level: str = "info"

    kafka_security_protocol: str | None = None
    kafka_sasl_mechanism: str | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_ca_location: str | None = None
    kafka_ssl_certificate_location: str | None = None
    kafka_ssl_key_location: str | None = None
    kafka_ssl_key_password: SecretStr | None = None
    kafka_ssl_endpoint_identification_algorithm: str | None = None
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

    def kafka_client_config(self) -> dict[str, str]:
        """Return librdkafka's properties that every Kafka client of the process needs."""
        optional = {
            "security.protocol": self.kafka_security_protocol,
            "sasl.mechanism": self.kafka_sasl_mechanism,
            "sasl.username": self.kafka_sasl_username,
            "sasl.password": _reveal(self.kafka_sasl_password),
            "ssl.ca.location": self.kafka_ssl_ca_location,
            "ssl.certificate.location": self.kafka_ssl_certificate_location,
            "ssl.key.location": self.kafka_ssl_key_location,
            "ssl.key.password": _reveal(self.kafka_ssl_key_password),
            "ssl.endpoint.identification.algorithm": self.kafka_ssl_endpoint_identification_algorithm,
        }
        given = {name: value for name, value in optional.items() if value is not None}
        return {"bootstrap.servers": self.kafka_bootstrap_servers, **given}

    def registry_credentials(self) -> tuple[str, str] | None:
        """Return user name and password for the registry, or None where it needs none."""
        if self.schema_registry_username is None:
            return None
        return self.schema_registry_username, _reveal(self.schema_registry_password) or ""


def setting_name(field: str) -> str:
    """Return the environment variable of a field."""
    prefix = Settings.model_config.get("env_prefix", "")
    return field.upper() if field.startswith(prefix) else f"{prefix}{field.upper()}"


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
