from __future__ import annotations

import pytest
from pydantic import ValidationError

from access.http import Endpoint
from embedded.ksql.settings import Settings


def test_the_listener_is_loopback_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPELINE_KSQLDB_LISTENER", raising=False)
    monkeypatch.setenv("PIPELINE_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    assert Settings().ksqldb_listener == "127.0.0.1:8088"


def test_a_listener_without_a_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    monkeypatch.setenv("PIPELINE_KSQLDB_LISTENER", "localhost")
    with pytest.raises(ValidationError, match="expected host:port, got 'localhost'"):
        Settings()


def test_client_security_reaches_every_kafka_client_and_no_text_shows_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIPELINE_KAFKA_BOOTSTRAP_SERVERS", "broker:9093")
    monkeypatch.setenv("PIPELINE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("PIPELINE_KAFKA_SASL_MECHANISM", "PLAIN")
    monkeypatch.setenv("PIPELINE_KAFKA_SASL_USERNAME", "me")
    monkeypatch.setenv("PIPELINE_KAFKA_SASL_PASSWORD", "hush")
    monkeypatch.setenv("PIPELINE_SCHEMA_REGISTRY_URL", "https://registry/")
    monkeypatch.setenv("PIPELINE_SCHEMA_REGISTRY_USERNAME", "me")
    monkeypatch.setenv("PIPELINE_SCHEMA_REGISTRY_PASSWORD", "hush")
    settings = Settings()
    assert settings.kafka_config() == {
        "bootstrap.servers": "broker:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "me",
        "sasl.password": "hush",
    }
    assert settings.registry() == Endpoint("https://registry", credentials=("me", "hush"))
    assert "hush" not in f"{settings!r}{settings.registry()!r}"
