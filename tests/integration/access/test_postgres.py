"""PostgreSQL with TLS, verified in full. The embedded server is built without TLS: a doorkeeper does it before it."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Stack
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
                serve(client)

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
