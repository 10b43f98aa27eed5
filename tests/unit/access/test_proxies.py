"""Which requests go through the proxy that the environment names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from access.http import Endpoint
from embedded.servers.http import answers_ok

NOBODY_LISTENS = "http://127.0.0.1:1"


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked for: a path, or as a proxy a whole URL."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.path)))
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the class above
        """Say nothing."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_on_this_machine_is_asked_without_a_proxy(
    port: int, monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    monkeypatch.setenv(variable, NOBODY_LISTENS)
    assert answers_ok(f"http://{host}:{port}/info")


def test_a_server_elsewhere_is_asked_through_the_proxy_unless_no_proxy_names_it(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    elsewhere = Endpoint("http://registry.invalid")
    assert requests.get(elsewhere.url, timeout=10, **elsewhere.options()).text == "http://registry.invalid/"
    monkeypatch.setenv("no_proxy", "registry.invalid")
    with pytest.raises(requests.ConnectionError):
        requests.get(elsewhere.url, timeout=10, **elsewhere.options())
