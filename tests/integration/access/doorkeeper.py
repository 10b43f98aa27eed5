"""What stands before a server that speaks HTTP: TLS, and basic auth or a client certificate."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from tests.integration.access.certificates import HOST, Identity


@dataclass(frozen=True, slots=True)
class Door:
    """What is asked of a client: credentials, or a certificate that ``client_ca`` has signed."""

    identity: Identity
    credentials: tuple[str, str] | None = None
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.identity.chain, self.identity.key)
        if self.client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.client_ca)
        return context

    def lets_in(self, authorization: str | None) -> bool:
        if self.credentials is None:
            return True
        return authorization == f"Basic {base64.b64encode(':'.join(self.credentials).encode()).decode()}"


class _Server(ThreadingHTTPServer):
    """Does the handshake in the connection's own thread, and lets a client that fails in it go."""

    daemon_threads = True

    def __init__(self, door: Door, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._context = door.context()

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        with self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secure:
            try:
                secure.do_handshake()
                self.RequestHandlerClass(secure, client_address, self)  # type: ignore[arg-type]  # typeshed wants Self
            except OSError:  # the client did not like our certificate, or we not its own; ssl.SSLError is one
                secure.shutdown(socket.SHUT_WR)


@contextmanager
def guarded(server_url: str, door: Door) -> Iterator[str]:
    """Forward to a server what the door lets in, and yield the door's URL."""

    class Handler(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not door.lets_in(self.headers["Authorization"]):
                self._answer(HTTPStatus.UNAUTHORIZED, "application/json", b'{"message": "Unauthorized"}')
                return
            headers = {name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers}
            answer = requests.request(self.command, f"{server_url}{self.path}", data=body, headers=headers, timeout=30)
            self._answer(answer.status_code, answer.headers.get("Content-Type", "text/plain"), answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = _forward  # noqa: N815 - names of the base class

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Keep the tests' output readable."""

    with _Server(door, Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://{HOST}:{server.server_port}"
        server.shutdown()
