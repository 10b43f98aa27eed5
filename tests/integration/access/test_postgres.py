"""PostgreSQL with TLS, verified in full. The embedded server is built without TLS: a doorkeeper does it before it."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import requests
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from access.http import Endpoint
from pipeline.clients.registry import SchemaRegistry
from pipeline.waiting import wait_until
from producer.avro import encoder_for
from tests.conftest import ROOT, Stack
from tests.integration.access.certificates import HOST, Authority, Identity
from tests.integration.access.commands import only_line, run

_SSL_REQUEST_BYTES = 8
_CHUNK_BYTES = 65_536


@contextmanager
def guarded(dsn: str, identity: Identity) -> Iterator[int]:
    """Forward what comes by TLS to the server of the DSN, and yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.chain, identity.key)
    address = urlsplit(dsn)
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def accept() -> None:
            while not stopping.is_set():
                try:
                    client, _ = listener.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=serve, args=(client,), daemon=True).start()

        def serve(client: socket.socket) -> None:
            client.settimeout(10)
            client.recv(_SSL_REQUEST_BYTES, socket.MSG_WAITALL)
            client.sendall(b"S")
            try:
                with (
                    context.wrap_socket(client, server_side=True) as secure,
                    socket.create_connection((str(address.hostname), int(address.port or 0))) as server,
                ):
                    relay(secure, server)
            except OSError:  # the client did not like our certificate; ssl.SSLError is one
                client.close()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopping.set()
            thread.join()


def relay(client: ssl.SSLSocket, server: socket.socket) -> None:
    """Hand on what either side sends until one of them ends."""
    other: dict[socket.socket, socket.socket] = {client: server, server: client}
    while True:
        for side in [client] if client.pending() else select.select([client, server], [], [], 10)[0]:
            content = side.recv(_CHUNK_BYTES)
            if not content:
                return
            other[side].sendall(content)


def settings(stack: Stack, port: int, ca: Path, password: str | None = None) -> dict[str, object]:
    address = urlsplit(stack.postgres_dsn)
    dsn = f"postgresql://{address.username}@{HOST}:{port}{address.path}?sslmode=verify-full&sslrootcert={ca}"
    return {"POSTGRES_DSN": dsn, "POSTGRES_PASSWORD": password or address.password}


@pytest.fixture
def port(stack: Stack, authority: Authority) -> Iterator[int]:
    assert stack.pipeline("deploy", "--only", "table").returncode == 0
    with guarded(stack.postgres_dsn, authority.issue("postgres")) as port:
        yield port


@contextmanager
def sink(stack: Stack, jdbc_url: str) -> Iterator[str]:
    """Run the sink of profiles as it is declared but for its name, its topic and its JDBC URL."""
    name = f"verified-{uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap_servers})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(30)
    declared = json.loads((ROOT / "connectors/users.json").read_text())
    there = {"topics": name, "connection.url": declared["connection.url"].replace("${env:PG_JDBC_URL}", jdbc_url)}
    url = f"{stack.connect_url}/connectors/{name}"
    requests.put(f"{url}/config", json={**declared, **there}, timeout=60).raise_for_status()
    try:
        yield name
    finally:
        requests.delete(url, timeout=60).raise_for_status()


def profile(stack: Stack, user_id: str) -> bytes:
    registry = SchemaRegistry(Endpoint(stack.schema_registry_url))
    schema_id = registry.latest_id("users-value")
    assert schema_id is not None
    values = {"user_id": user_id, "email": "a@example.com", "first_name": "A", "last_name": "B", "country": "DE"}
    return encoder_for(registry.schema_by_id(schema_id), schema_id).encode(
        {**values, "is_active": True, "signup_date": date(2024, 10, 4)}
    )


def test_a_sink_verifies_the_server_in_full_by_the_parameters_of_the_workers_environment(
    stack: Stack, port: int, authority: Authority
) -> None:
    assert stack.pipeline("deploy", "--only", "topic", "--only", "schema").returncode == 0
    user_id = f"u-{uuid4().hex[:8]}"

    def is_there() -> bool:
        with psycopg.connect(stack.postgres_dsn) as connection:
            row = connection.execute("SELECT true FROM users WHERE user_id = %s", (user_id,)).fetchone()
        return row is not None

    jdbc_url = f"jdbc:postgresql://{HOST}:{port}/analytics?sslmode=verify-full&sslrootcert={authority.ca}"
    with sink(stack, jdbc_url) as topic:
        producer = Producer({"bootstrap.servers": stack.kafka_bootstrap_servers})
        producer.produce(topic, profile(stack, user_id), user_id)
        assert producer.flush(30) == 0
        wait_until(is_there, awaiting="the row", timeout_seconds=60)
        producer.produce(topic, None, user_id)
        assert producer.flush(30) == 0
        wait_until(lambda: not is_there(), awaiting="the row to go", timeout_seconds=60)


def refusal(given: dict[str, object], state_dir: Path) -> str:
    return only_line(run(given, state_dir, "dlq", "stats"), 1)


def test_a_server_that_is_verified_is_used(stack: Stack, port: int, authority: Authority, tmp_path: Path) -> None:
    outcome = run(settings(stack, port, authority.ca), tmp_path, "dlq", "stats")
    assert outcome.returncode == 0, outcome.stderr


def test_a_wrong_password_is_one_line(stack: Stack, port: int, authority: Authority, tmp_path: Path) -> None:
    assert "password authentication failed" in refusal(settings(stack, port, authority.ca, "wrong"), tmp_path)


def test_an_authority_that_did_not_sign_is_one_line(
    stack: Stack, port: int, stranger: Authority, tmp_path: Path
) -> None:
    assert "its certificate is not accepted" in refusal(settings(stack, port, stranger.ca), tmp_path)


def test_a_file_of_authorities_that_is_missing_is_one_line(stack: Stack, port: int, tmp_path: Path) -> None:
    line = refusal(settings(stack, port, tmp_path / "no.pem"), tmp_path)
    assert f'root certificate file "{tmp_path / "no.pem"}" does not exist' in line


def test_an_expired_certificate_is_one_line(stack: Stack, authority: Authority, tmp_path: Path) -> None:
    with guarded(stack.postgres_dsn, authority.issue("old-postgres", expired=True)) as port:
        assert "certificate has expired" in refusal(settings(stack, port, authority.ca), tmp_path)
