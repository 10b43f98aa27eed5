"""What a server says to a TLS handshake, for those who have to say why a client of another library failed."""

from __future__ import annotations

import socket
import ssl

_TIMEOUT_SECONDS = 5.0

# PostgreSQL's SSLRequest (length, then 1234 and 5679): https://www.postgresql.org/docs/current/protocol-message-formats.html
POSTGRES_REQUEST = bytes([0, 0, 0, 8, 4, 210, 22, 47])


def speaks_tls(host: str, port: int) -> bool:
    """Whether a server answers a handshake, whatever its certificate is worth."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return _handshake(context, host, port) is None


def why_not_verified(host: str, port: int, ca: str | None, request: bytes = b"") -> str | None:
    """Return what is wrong with a server's certificate, such as "certificate has expired"; None if nothing is.

    ``ca`` is a file of the authorities that are trusted, None the usual ones of the machine; ``request`` asks for TLS
    where a protocol begins without.
    """
    return _handshake(ssl.create_default_context(cafile=ca), host, port, request)


def _handshake(context: ssl.SSLContext, host: str, port: int, request: bytes = b"") -> str | None:
    """Return why a handshake failed, None if it did not."""
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT_SECONDS) as connection:
            if request:
                connection.sendall(request)
                connection.recv(1)  # S, or the handshake fails
            with context.wrap_socket(connection, server_hostname=host):
                return None
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError as error:  # ssl.SSLError is one
        return str(error)
