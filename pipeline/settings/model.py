"""The settings of one set of servers, checked."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from access.http import Endpoint, HttpAccess
from access.kafka import KafkaAccess
from pipeline.settings.location import PREFIX


class Settings(KafkaAccess, HttpAccess, BaseSettings):
    """The addresses and secrets of one set of servers. Values come from `loading.py`, never by themselves."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    schema_registry_url: str
    schema_registry_username: str | None = None
    schema_registry_password: SecretStr | None = None
    connect_url: str
    connect_username: str | None = None
    connect_password: SecretStr | None = None
    ksqldb_url: str
    ksqldb_username: str | None = None
    ksqldb_password: SecretStr | None = None
    postgres_dsn: SecretStr
    postgres_password: SecretStr | None = None
    replication_factor: int = Field(default=1, ge=1)
    compose_project: str | None = None  # where these servers are the containers of one
    kafka_metrics_url: str | None = None
    schema_registry_metrics_url: str | None = None
    connect_metrics_url: str | None = None
    ksqldb_metrics_url: str | None = None

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

    @field_validator(
        "schema_registry_url",
        "connect_url",
        "ksqldb_url",
        "kafka_metrics_url",
        "schema_registry_metrics_url",
        "connect_metrics_url",
        "ksqldb_metrics_url",
    )
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is None:  # a default may be validated again
            return None
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

    @property
    def schema_registry(self) -> Endpoint:
        """The registry with its credentials."""
        return self.endpoint(self.schema_registry_url, self.schema_registry_username, self.schema_registry_password)

    @property
    def connect(self) -> Endpoint:
        """Kafka Connect with its credentials."""
        return self.endpoint(self.connect_url, self.connect_username, self.connect_password)

    @property
    def ksqldb(self) -> Endpoint:
        """The ksqlDB server with its credentials."""
        return self.endpoint(self.ksqldb_url, self.ksqldb_username, self.ksqldb_password)


def _with_password(dsn: str, password: str) -> str:
    url = urlsplit(dsn)
    if not url.scheme:  # libpq's other form: name=value pairs
        return make_conninfo(dsn, password=password)
    user, _, host = url.netloc.rpartition("@")
    return url._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()
