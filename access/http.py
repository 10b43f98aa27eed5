"""Servers that speak HTTP: Connect, the Schema Registry, ksqlDB."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import BaseModel, SecretStr, field_validator, model_validator

from access.files import existing_file

_VERIFY_FAILED = re.compile(r"certificate verify failed: (.+?) \(_ssl")
_TLS_REASON = re.compile(r"\[SSL: ([A-Z0-9_]+)\]")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The base URL of a server, and what it asks of a client.

    ``credentials`` are user name and password of basic auth. ``ca`` is a file of the authorities that are trusted,
    None the usual ones of the machine. ``certificate`` are the files of our own certificate and its key.
    """

    url: str
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    ca: str | None = None
    certificate: tuple[str, str] | None = None

    def options(self) -> dict[str, Any]:
        """Return what every request of the library ``requests`` is given.

        Each request, not the session: of a session, REQUESTS_CA_BUNDLE in the environment would outrank ``verify``.
        A server on this machine is never asked through the proxy that the environment names.
        """
        host = urlsplit(self.url).hostname or ""
        proxies = {"no_proxy": host} if _is_here(host) else None
        return {"auth": self.credentials, "verify": self.ca or True, "cert": self.certificate, "proxies": proxies}


class HttpAccess(BaseModel):
    """The settings that Connect, the registry and ksqlDB share."""

    http_ssl_ca_location: Path | None = None
    http_ssl_certificate_location: Path | None = None
    http_ssl_key_location: Path | None = None

    _http_files_exist = field_validator(
        "http_ssl_ca_location", "http_ssl_certificate_location", "http_ssl_key_location"
    )(existing_file)

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> HttpAccess:
        if (self.http_ssl_certificate_location is None) != (self.http_ssl_key_location is None):
            raise ValueError("PIPELINE_HTTP_SSL_CERTIFICATE_LOCATION and PIPELINE_HTTP_SSL_KEY_LOCATION go together")
        return self

    def endpoint(self, url: str, username: str | None, password: SecretStr | None) -> Endpoint:
        """Return a server's endpoint; without a user name it is asked without credentials."""
        ca, certificate, key = self.http_ssl_ca_location, self.http_ssl_certificate_location, self.http_ssl_key_location
        return Endpoint(
            url=url.rstrip("/"),
            credentials=None if username is None else (username, password.get_secret_value() if password else ""),
            ca=None if ca is None else str(ca),
            certificate=None if certificate is None or key is None else (str(certificate), str(key)),
        )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def explain(error: requests.RequestException) -> str:
    """Return why a request got no answer, in a few words: what is wrong with the certificate, or the error's kind."""
    text = str(error)
    if found := _VERIFY_FAILED.search(text):
        return f"its certificate is not accepted: {found[1]}; the CA is trusted by PIPELINE_HTTP_SSL_CA_LOCATION"
    if "EOF occurred in violation of protocol" in text:
        return "TLS failed: the server hung up; does it want a certificate, PIPELINE_HTTP_SSL_CERTIFICATE_LOCATION?"
    if found := _TLS_REASON.search(text):
        reason = found[1].lower().replace("_", " ")
        return f"TLS failed: {reason}; see PIPELINE_HTTP_SSL_CERTIFICATE_LOCATION and the URL's scheme"
    return type(error).__name__
