from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.report.settings import settings_json
from pipeline.settings import Location, load_settings, settings_in_force
from tests.conftest import ROOT

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
    for name in [name for name in os.environ if name.startswith("PIPELINE_")]:
        monkeypatch.delenv(name)
    return Location(state_dir=tmp_path / "state", project_dir=tmp_path)


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
    monkeypatch.setenv("PIPELINE_KAFKA_SASL_MECHANISM", "SCRAM-SHA-512")
    monkeypatch.setenv("PIPELINE_KAFKA_SASL_USERNAME", "me")
    monkeypatch.setenv("PIPELINE_KAFKA_SASL_PASSWORD", "hidden")
    assert load_settings(location).kafka_config() == {
        "bootstrap.servers": "127.0.0.1:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "me",
        "sasl.password": "hidden",
    }


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"KAFKA_SASL_MECHANISM": "PLAIN"}, "contradict each other: a mechanism needs SASL_SSL"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "contradict each other"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "me"},
            "PIPELINE_KAFKA_SASL_PASSWORD not set, but PIPELINE_KAFKA_SASL_MECHANISM=PLAIN needs it",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "OAUTHBEARER"},
            "PIPELINE_KAFKA_OAUTH_TOKEN_URL, PIPELINE_KAFKA_OAUTH_CLIENT_ID, PIPELINE_KAFKA_OAUTH_CLIENT_SECRET not",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "AWS_MSK_IAM"},
            "PIPELINE_KAFKA_AWS_REGION not set",
        ),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "PIPELINE_KAFKA_SECURITY_PROTOCOL is not valid: .*SASL_SSL"),
        ({"KAFKA_SSL_CA_LOCATION": "/no/ca.pem"}, "PIPELINE_KAFKA_SSL_CA_LOCATION names /no/ca.pem, which cannot be"),
        ({"HTTP_SSL_KEY_LOCATION": __file__}, "PIPELINE_HTTP_SSL_KEY_LOCATION go together"),
    ],
)
def test_settings_of_security_that_do_not_fit_are_refused_by_name(
    location: Location, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], complaint: str
) -> None:
    for name, value in (ADDRESSES | {f"PIPELINE_{name}": value for name, value in given.items()}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=complaint):
        load_settings(location)


def test_oauth_takes_its_token_from_the_endpoint_and_iam_signs_one_itself(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ADDRESSES, "PIPELINE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIPELINE_KAFKA_SASL_MECHANISM", "OAUTHBEARER")
    for name in ("TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"PIPELINE_KAFKA_OAUTH_{name}", f"https://{name}")
    config = load_settings(location).kafka_config()
    assert config["sasl.oauthbearer.method"] == "oidc"
    assert config["sasl.oauthbearer.token.endpoint.url"] == "https://TOKEN_URL"
    monkeypatch.setenv("PIPELINE_KAFKA_SASL_MECHANISM", "AWS_MSK_IAM")
    monkeypatch.setenv("PIPELINE_KAFKA_AWS_REGION", "eu-west-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "unknown-to-aws")
    config = load_settings(location).kafka_config()
    assert config["sasl.mechanism"] == "OAUTHBEARER"
    token, expires = config["oauth_cb"]("")
    assert "kafka.eu-west-1.amazonaws.com" in base64.urlsafe_b64decode(token + "==").decode()
    assert expires > datetime.now(UTC).timestamp()


@pytest.fixture
def docker(location: Location) -> Location:
    """A location whose profile is a copy of profiles/docker.env."""
    (location.project_dir / "profiles").mkdir()
    text = (ROOT / "profiles" / "docker.env").read_text(encoding="utf-8")
    (location.project_dir / "profiles" / "docker.env").write_text(text, encoding="utf-8")
    return location.model_copy(update={"profile": "docker"})


def test_a_profile_outranks_the_environment_and_takes_from_it_what_it_leaves_open(
    docker: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_CONNECT_URL", "http://elsewhere:8083")
    monkeypatch.setenv("PIPELINE_POSTGRES_PASSWORD", "p@ss/word")
    settings = load_settings(docker)
    assert settings.connect_url == "http://127.0.0.1:8083"
    assert settings.postgres_dsn.get_secret_value() == "postgresql://analytics:p%40ss%2Fword@127.0.0.1:5432/analytics"


@pytest.mark.parametrize(
    ("dsn", "given"),
    [
        ("postgresql://me:kept@db/x", "postgresql://me:kept@db/x"),
        ("user=me host=db", "user=me host=db password=added"),
        ("postgresql://me@db:5/x?sslmode=verify-full", "postgresql://me:added@db:5/x?sslmode=verify-full"),
    ],
)
def test_a_password_joins_a_dsn_that_has_none(
    docker: Location, monkeypatch: pytest.MonkeyPatch, dsn: str, given: str
) -> None:
    path = docker.profile_file()
    path.write_text(path.read_text(encoding="utf-8") + f"PIPELINE_POSTGRES_DSN='{dsn}'\n", encoding="utf-8")
    monkeypatch.setenv("PIPELINE_POSTGRES_PASSWORD", "added")
    assert load_settings(docker).postgres_dsn.get_secret_value() == given


def test_an_unknown_profile_lists_those_that_there_are(docker: Location) -> None:
    with pytest.raises(SettingsError, match="there is no profile 'dokcer'; there are: docker, local"):
        load_settings(docker.model_copy(update={"profile": "dokcer"}))


def test_the_profile_local_needs_a_running_embedded_stack(location: Location) -> None:
    with pytest.raises(SettingsError, match="no embedded stack runs here"):
        load_settings(location.model_copy(update={"profile": "local"}))


def test_a_setting_that_a_profile_misspells_is_refused_with_the_right_name(docker: Location) -> None:
    docker.profile_file().write_text("PIPELINE_CONECT_URL=http://x:1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"docker\.env: .* PIPELINE_CONECT_URL; did you mean PIPELINE_CONNECT_URL"):
        load_settings(docker)


def test_what_a_profile_leaves_open_is_named(docker: Location) -> None:
    docker.profile_file().write_text("PIPELINE_CONNECT_URL=http://x:1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"profile docker leaves open: PIPELINE_KAFKA_BOOTSTRAP_SERVERS, "):
        load_settings(docker)


def test_the_settings_in_force_say_where_they_stand_and_hide_secrets(
    docker: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_POSTGRES_PASSWORD", "hidden")
    (docker.project_dir / ".env").write_text("PIPELINE_KAFKA_SASL_PASSWORD=hidden\n", encoding="utf-8")
    document = json.loads(settings_json(docker, settings_in_force(docker)))
    shown = {one["name"]: (one["value"], one["origin"]) for one in document["settings"]}
    assert shown["PIPELINE_CONNECT_URL"] == ("http://127.0.0.1:8083", "profile docker")
    assert shown["PIPELINE_POSTGRES_PASSWORD"] == ("********", "environment")
    assert shown["PIPELINE_KAFKA_SASL_PASSWORD"] == ("********", ".env")
    assert shown["PIPELINE_KAFKA_SASL_USERNAME"] == (None, "default")
    assert "hidden" not in json.dumps(document)


def test_a_url_with_credentials_is_refused_without_repeating_them(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIPELINE_CONNECT_URL", "http://me:hidden@connect:8083")
    with pytest.raises(SettingsError, match="PIPELINE_CONNECT_URL holds a user name or password") as caught:
        load_settings(location)
    assert "hidden" not in f"{caught.value}{caught.value.__cause__}"
