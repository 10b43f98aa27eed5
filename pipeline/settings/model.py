"""The settings of one set of servers, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.settings.location import PREFIX


class Settings(BaseSettings):
    """The addresses and secrets of one set of servers. Values come from `loading.py`, never by themselves."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    kafka_bootstrap_servers: str = Field(min_length=1)
    schema_registry_url: str
    connect_url: str
    ksqldb_url: str
    postgres_dsn: SecretStr
    postgres_password: SecretStr | None = None
    replication_factor: int = Field(default=1, ge=1)
    kafka_security_protocol: str | None = None
    kafka_sasl_mechanism: str | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_ca_location: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `loading.py` has layered, and nothing else."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @field_validator("schema_registry_url", "connect_url", "ksqldb_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        url = urlsplit(value)
        if url.username or url.password:
            raise ValueError("holds a user name or password; they have settings of their own: …_USERNAME, …_PASSWORD")
        if url.scheme not in {"http", "https"} or not url.netloc:
            raise ValueError(f"is not an http(s) URL: {value!r}")
        return value

    @field_validator("postgres_dsn")
    @classmethod
    def _is_dsn(cls, dsn: SecretStr) -> SecretStr:
        try:
            conninfo_to_dict(dsn.get_secret_value())
        except psycopg.ProgrammingError:
            raise ValueError("is not a libpq URI (postgresql://user:password@host:port/database)") from None
        return dsn

    @model_validator(mode="after")
    def _give_dsn_its_password(self) -> Settings:
        dsn = self.postgres_dsn.get_secret_value()
        if self.postgres_password is not None and "password" not in conninfo_to_dict(dsn):
            self.postgres_dsn = SecretStr(_with_password(dsn, self.postgres_password.get_secret_value()))
        return self

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


def _with_password(dsn: str, password: str) -> str:
    url = urlsplit(dsn)
    if not url.scheme:  # libpq's other form: name=value pairs
        return make_conninfo(dsn, password=password)
    user, _, host = url.netloc.rpartition("@")
    return url._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()
