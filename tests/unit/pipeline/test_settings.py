from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.settings import Location, load_settings

ADDRESSES = {
    "PIPELINE_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "PIPELINE_SCHEMA_REGISTRY_URL": "http://127.0.0.1:2",
    "PIPELINE_CONNECT_URL": "http://127.0.0.1:3",
    "PIPELINE_KSQLDB_URL": "http://127.0.0.1:4",
    "PIPELINE_POSTGRES_DSN": "postgresql://me:hidden@127.0.0.1:5/db",
}


@pytest.fixture
def location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Location:
    monkeypatch.chdir(tmp_path)
    for name in ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    return Location(state_dir=tmp_path / "state")


def test_missing_addresses_are_all_named_with_the_next_step(location: Location) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(location)
    assert all(name in str(caught.value) for name in ADDRESSES)
    assert "pipeline up" in str(caught.value)


def test_a_running_embedded_stack_gives_the_addresses(location: Location) -> None:
    location.state_dir.mkdir()
    lines = "".join(f"{name}={value}\n" for name, value in ADDRESSES.items())
    location.environment_file.write_text(lines, encoding="utf-8")
    assert load_settings(location).connect_url == "http://127.0.0.1:3"


def test_the_environment_outranks_the_embedded_stack(location: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    test_a_running_embedded_stack_gives_the_addresses(location)
    monkeypatch.setenv("PIPELINE_CONNECT_URL", "http://elsewhere:8083")
    assert load_settings(location).connect_url == "http://elsewhere:8083"


def test_an_address_that_is_no_url_is_refused_by_name(location: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIPELINE_KSQLDB_URL", "localhost:8088")
    with pytest.raises(SettingsError, match="PIPELINE_KSQLDB_URL is not an http"):
        load_settings(location)


def test_secrets_do_not_show(location: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)
    assert "hidden" not in repr(load_settings(location))


def test_kafka_clients_get_only_the_security_settings_that_were_given(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)
    assert load_settings(location).kafka_config() == {"bootstrap.servers": "127.0.0.1:1"}
    monkeypatch.setenv("PIPELINE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("PIPELINE_KAFKA_SASL_PASSWORD", "hidden")
    assert load_settings(location).kafka_config() == {
        "bootstrap.servers": "127.0.0.1:1",
        "security.protocol": "SASL_SSL",
        "sasl.password": "hidden",
    }
