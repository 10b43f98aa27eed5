"""Connect, the registry and ksqlDB behind TLS and credentials, each the session's real server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Stack
from tests.integration.access.certificates import Authority
from tests.integration.access.commands import only_line, run
from tests.integration.access.doorkeeper import Door, guarded

CREDENTIALS = ("analytics", "correct horse")
SERVERS = {
    "CONNECT": ("connectors", "plugins"),
    "SCHEMA_REGISTRY": ("schemas", "list"),
    "KSQLDB": ("queries", "list"),
}
by_server = pytest.mark.parametrize("server", SERVERS)


def url_of(stack: Stack, server: str) -> str:
    return {"CONNECT": stack.connect_url, "SCHEMA_REGISTRY": stack.schema_registry_url, "KSQLDB": stack.ksqldb_url}[
        server
    ]


def settings_for(stack: Stack, server: str, door_url: str, **more: object) -> dict[str, object]:
    url = f"{door_url}{urlsplit(url_of(stack, server)).path}"
    return {f"{server}_URL": url, **more}


def base(stack: Stack, server: str) -> str:
    url = urlsplit(url_of(stack, server))
    return f"{url.scheme}://{url.netloc}"


@by_server
def test_user_and_password_let_in_and_wrong_ones_are_one_line(
    stack: Stack, authority: Authority, tmp_path: Path, server: str
) -> None:
    with guarded(base(stack, server), Door(authority.issue("server"), CREDENTIALS)) as door:
        user, password = CREDENTIALS
        settings = settings_for(
            stack,
            server,
            door,
            HTTP_SSL_CA_LOCATION=authority.ca,
            **{f"{server}_USERNAME": user, f"{server}_PASSWORD": password},
        )
        outcome = run(settings, tmp_path, *SERVERS[server])
        assert outcome.returncode == 0, outcome.stderr
        wrong = run({**settings, f"{server}_PASSWORD": "wrong"}, tmp_path, *SERVERS[server])
        line = only_line(wrong, 1)
        assert "refuses the credentials" in line
        assert f"PIPELINE_{server}_USERNAME and PIPELINE_{server}_PASSWORD" in line


@by_server
def test_a_client_certificate_lets_in_and_none_is_one_line(
    stack: Stack, authority: Authority, tmp_path: Path, server: str
) -> None:
    with guarded(base(stack, server), Door(authority.issue("server"), client_ca=authority.ca)) as door:
        settings = settings_for(stack, server, door, HTTP_SSL_CA_LOCATION=authority.ca)
        ours = authority.issue("analytics")
        certificate = {"HTTP_SSL_CERTIFICATE_LOCATION": ours.chain, "HTTP_SSL_KEY_LOCATION": ours.key}
        outcome = run({**settings, **certificate}, tmp_path, *SERVERS[server])
        assert outcome.returncode == 0, outcome.stderr
        line = only_line(run(settings, tmp_path, *SERVERS[server]), 1)
        assert "TLS failed" in line
        assert "PIPELINE_HTTP_SSL_CERTIFICATE_LOCATION" in line


def test_certificates_that_are_not_accepted_are_one_line_each(
    stack: Stack, authority: Authority, stranger: Authority, tmp_path: Path
) -> None:
    command = SERVERS["CONNECT"]
    with guarded(base(stack, "CONNECT"), Door(authority.issue("server"))) as door:
        unknown = run(settings_for(stack, "CONNECT", door), tmp_path, *command)
        assert "certificate is not accepted" in only_line(unknown, 1)
        other = run(settings_for(stack, "CONNECT", door, HTTP_SSL_CA_LOCATION=stranger.ca), tmp_path, *command)
        assert "PIPELINE_HTTP_SSL_CA_LOCATION" in only_line(other, 1)
        missing = settings_for(stack, "CONNECT", door, HTTP_SSL_CA_LOCATION=tmp_path / "no.pem")
        assert "which cannot be read: No such file" in only_line(run(missing, tmp_path, *command), 2)
        http = {"CONNECT_URL": door.replace("https", "http")}
        assert "Kafka Connect does not answer" in only_line(run(http, tmp_path, *command), 1)
    with guarded(base(stack, "CONNECT"), Door(authority.issue("old-server", expired=True))) as door:
        expired = run(settings_for(stack, "CONNECT", door, HTTP_SSL_CA_LOCATION=authority.ca), tmp_path, *command)
        assert "certificate has expired" in only_line(expired, 1)
    https = {"CONNECT_URL": stack.connect_url.replace("http", "https"), "HTTP_SSL_CA_LOCATION": authority.ca}
    assert "TLS failed" in only_line(run(https, tmp_path, *command), 1)
