"""Where the servers are: the environment, `.env`, or the embedded stack that runs here, in this order."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from platformdirs import user_state_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.errors import SettingsError

PREFIX = "PIPELINE_"


class Location(BaseSettings):
    """Where this machine keeps the embedded stack and where the project's declarations are."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore")

    state_dir: Path = Field(default_factory=lambda: user_state_path("user-analytics-pipeline"))
    project_dir: Path = Field(default_factory=Path.cwd)

    @property
    def environment_file(self) -> Path:
        """The addresses of the embedded stack, written by `pipeline up`."""
        return self.state_dir / "environment"


class Settings(BaseSettings):
    """The addresses and secrets of one set of servers."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    kafka_bootstrap_servers: str
    schema_registry_url: str
    connect_url: str
    ksqldb_url: str
    postgres_dsn: SecretStr
    replication_factor: int = Field(default=1, ge=1)
    kafka_security_protocol: str | None = None
    kafka_sasl_mechanism: str | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_ca_location: Path | None = None

    def kafka_config(self) -> dict[str, Any]:
        """Return the librdkafka settings that every Kafka client of ours starts from."""
        optional = {
            "security.protocol": self.kafka_security_protocol,
            "sasl.mechanism": self.kafka_sasl_mechanism,
            "sasl.username": self.kafka_sasl_username,
            "sasl.password": self.kafka_sasl_password and self.kafka_sasl_password.get_secret_value(),
            "ssl.ca.location": self.kafka_ssl_ca_location and str(self.kafka_ssl_ca_location),
        }
        return {
            "bootstrap.servers": self.kafka_bootstrap_servers,
            **{name: value for name, value in optional.items() if value is not None},
        }


def load_location() -> Location:
    """Read the state and project directories. Raises SettingsError."""
    try:
        return Location()
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error


def load_settings(location: Location) -> Settings:
    """Read the addresses. Raises SettingsError naming each variable that is missing or malformed."""
    try:
        settings = Settings(_env_file=(location.environment_file, ".env"))
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error
    for name in ("schema_registry_url", "connect_url", "ksqldb_url"):
        url = urlsplit(getattr(settings, name))
        if url.scheme not in {"http", "https"} or not url.netloc:
            message = f"{PREFIX}{name.upper()} is not an http(s) URL: {getattr(settings, name)!r}"
            raise SettingsError(message)
    return settings


def load_stack_settings(location: Location) -> Settings:
    """Read the addresses of the embedded stack alone, whatever the environment says. Raises SettingsError."""
    written = dotenv_values(location.environment_file)
    values = {name.removeprefix(PREFIX).lower(): value for name, value in written.items()}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    missing = [f"{PREFIX}{str(item['loc'][0]).upper()}" for item in error.errors() if item["type"] == "missing"]
    if missing:
        return (
            f"no servers to talk to: {', '.join(missing)} not set, and no embedded stack was started here. "
            "Start one with `pipeline up`, or set the addresses in the environment or in .env (see .env.example)."
        )
    first = error.errors()[0]
    return f"{PREFIX}{str(first['loc'][0]).upper()}: {first['msg']}. See .env.example."
