"""A token endpoint (OAuth 2 client credentials) whose tokens the broker checks by signature."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

ISSUER, CLIENT, SECRET, KEY_ID = "urn:test-issuer", "analytics", "battery staple", "only"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _integer(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class TokenEndpoint:
    """Signs tokens; ``keys`` is the file of its public key (JWKS)."""

    def __init__(self, directory: Path) -> None:
        self._key: RSAPrivateKey = generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._key.public_key().public_numbers()
        kind = {"kty": "RSA", "kid": KEY_ID, "alg": "RS256", "use": "sig"}
        key = {**kind, "n": _integer(numbers.n), "e": _integer(numbers.e)}
        self.keys = directory / "jwks.json"
        self.keys.write_text(json.dumps({"keys": [key]}), encoding="utf-8")

    def token(self) -> str:
        """Return a token that lasts five minutes."""
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": CLIENT, "iat": now, "exp": now + 300, "scope": "kafka"}
        parts = ({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}, claims)
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_encoded(self._key.sign(signed.encode(), PKCS1v15(), SHA256()))}"

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve, and yield the endpoint's URL."""
        expected = f"Basic {base64.b64encode(f'{CLIENT}:{SECRET}'.encode()).decode()}"
        token = self.token

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                good = self.headers["Authorization"] == expected
                body = {"access_token": token(), "token_type": "Bearer", "expires_in": 300}
                content = json.dumps(body if good else {"error": "invalid_client"}).encode()
                self.send_response(HTTPStatus.OK if good else HTTPStatus.UNAUTHORIZED)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_arguments: object) -> None:
                """Keep the tests' output readable."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/token"
            server.shutdown()
