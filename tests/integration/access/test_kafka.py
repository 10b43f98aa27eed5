"""A broker that asks for TLS, SASL or a certificate: what gets in, and what one line says about what does not."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from producer.errors import UnreachableError
from producer.publisher import Publisher
from tests.integration.access.broker import PASSWORD, USER, Broker
from tests.integration.access.certificates import Authority
from tests.integration.access.commands import only_line, run
from tests.integration.access.tokens import CLIENT, SECRET, TokenEndpoint

Settings = dict[str, object]


@pytest.fixture
def scram(broker: Broker, authority: Authority) -> Settings:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker.addresses["SECURE"],
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": USER,
        "KAFKA_SASL_PASSWORD": PASSWORD,
        "KAFKA_SSL_CA_LOCATION": authority.ca,
    }


def assert_lets_in(settings: Settings, state_dir: Path) -> None:
    outcome = run(settings, state_dir, "topics", "list", "--internal", "--json")
    assert outcome.returncode == 0, outcome.stderr
    assert isinstance(json.loads(outcome.stdout), list)


def refusal(settings: Settings, state_dir: Path) -> str:
    return only_line(run(settings, state_dir, "topics", "list"), 1)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_password_lets_in(scram: Settings, tmp_path: Path, mechanism: str) -> None:
    assert_lets_in({**scram, "KAFKA_SASL_MECHANISM": mechanism}, tmp_path)


def test_a_token_of_the_endpoint_lets_in(
    broker: Broker, authority: Authority, tokens: TokenEndpoint, tmp_path: Path
) -> None:
    with tokens.serving() as url:
        oauth = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.addresses["SECURE"],
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
            "KAFKA_SSL_CA_LOCATION": authority.ca,
            "KAFKA_OAUTH_TOKEN_URL": url,
            "KAFKA_OAUTH_CLIENT_ID": CLIENT,
            "KAFKA_OAUTH_CLIENT_SECRET": SECRET,
        }
        assert_lets_in(oauth, tmp_path)
        line = refusal({**oauth, "KAFKA_OAUTH_CLIENT_SECRET": "wrong"}, tmp_path)
        assert "token" in line


def test_credentials_of_aws_sign_a_token_that_only_msk_accepts_and_without_them_one_line_says_so(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    iam: Settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.addresses["SECURE"],
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "AWS_MSK_IAM",
        "KAFKA_SSL_CA_LOCATION": authority.ca,
        "KAFKA_AWS_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    signed = {"AWS_ACCESS_KEY_ID": "unknown", "AWS_SECRET_ACCESS_KEY": "unknown"}
    assert "SASL authentication error" in refusal({**iam, **signed}, tmp_path)
    assert "OAuth token not set" in refusal(iam, tmp_path)


def test_a_certificate_lets_in_and_none_does_not(broker: Broker, authority: Authority, tmp_path: Path) -> None:
    ours = authority.issue("analytics")
    mutual: Settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.addresses["MUTUAL"],
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CA_LOCATION": authority.ca,
    }
    certificate = {"KAFKA_SSL_CERTIFICATE_LOCATION": ours.chain, "KAFKA_SSL_KEY_LOCATION": ours.key}
    outcome = run({**mutual, **certificate}, tmp_path, "topics", "list")
    assert outcome.returncode == 0, outcome.stderr
    assert "certificate" in refusal(mutual, tmp_path).lower()


def test_a_wrong_password_is_one_line(scram: Settings, tmp_path: Path) -> None:
    line = refusal({**scram, "KAFKA_SASL_PASSWORD": "wrong"}, tmp_path)
    assert "cannot be used" in line
    assert "uthentication failed" in line
    assert "PIPELINE_KAFKA_SASL_*" in line
    assert "wrong" not in line


def test_an_authority_that_did_not_sign_is_one_line(scram: Settings, stranger: Authority, tmp_path: Path) -> None:
    line = refusal({**scram, "KAFKA_SSL_CA_LOCATION": stranger.ca}, tmp_path)
    assert "its certificate is not accepted: self-signed certificate" in line or "unable to get local issuer" in line


def test_an_expired_certificate_is_one_line(broker: Broker, scram: Settings, tmp_path: Path) -> None:
    line = refusal({**scram, "KAFKA_BOOTSTRAP_SERVERS": broker.addresses["EXPIRED"]}, tmp_path)
    assert "certificate has expired" in line


def test_a_file_of_authorities_that_is_missing_is_a_matter_of_settings(scram: Settings, tmp_path: Path) -> None:
    outcome = run({**scram, "KAFKA_SSL_CA_LOCATION": tmp_path / "no.pem"}, tmp_path, "topics", "list")
    assert "PIPELINE_KAFKA_SSL_CA_LOCATION names" in only_line(outcome, 2)


def test_plaintext_to_a_listener_of_tls_is_one_line(broker: Broker, tmp_path: Path) -> None:
    line = refusal({"KAFKA_BOOTSTRAP_SERVERS": broker.addresses["SECURE"]}, tmp_path)
    assert "does not answer" in line
    assert "which speaks TLS: PIPELINE_KAFKA_SECURITY_PROTOCOL" in line


def test_the_producer_names_the_refusal_too(scram: Settings, broker: Broker) -> None:
    config = {
        "bootstrap.servers": broker.addresses["SECURE"],
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": USER,
        "sasl.password": "wrong",
        "ssl.ca.location": str(scram["KAFKA_SSL_CA_LOCATION"]),
    }
    with pytest.raises(UnreachableError, match="uthentication failed"):
        Publisher(config, threading.Event()).require_topics("any")
