"""Taking URLs apart; text that is no URL gives null."""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import SplitResult, quote_plus, unquote, unquote_plus, urlsplit

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.registry import scalar

url = partial(scalar, category="URL")

_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _parts(text: str) -> SplitResult | None:
    if any(char in text for char in ' "<>\\^`{|}'):
        return None  # java.net.URI refuses them
    try:
        return urlsplit(text)
    except ValueError:
        return None


@url("url_extract_host", "VARCHAR input -> VARCHAR", "Extracts the host of a URL.")
def host(text: str) -> str | None:
    """Return the host, or null."""
    parts = _parts(text)
    return (parts.netloc.rpartition("@")[2].partition(":")[0] or None) if parts else None


@url("url_extract_port", "VARCHAR input -> INT", "Extracts the port of a URL.")
def port(text: str) -> int | None:
    """Return the port, or null."""
    parts = _parts(text)
    return parts.port if parts else None


@url("url_extract_path", "VARCHAR input -> VARCHAR", "Extracts the path of a URL.")
def path(text: str) -> str | None:
    """Return the decoded path."""
    parts = _parts(text)
    return unquote(parts.path) if parts else None


@url("url_extract_protocol", "VARCHAR input -> VARCHAR", "Extracts the protocol of a URL.")
def protocol(text: str) -> str | None:
    """Return the scheme, or null."""
    parts = _parts(text)
    return (parts.scheme or None) if parts else None


@url("url_extract_query", "VARCHAR input -> VARCHAR", "Extracts the query of a URL.")
def query(text: str) -> str | None:
    """Return the decoded query, or null."""
    parts = _parts(text)
    return (unquote(parts.query) or None) if parts else None


@url("url_extract_fragment", "VARCHAR input -> VARCHAR", "Extracts the fragment of a URL.")
def fragment(text: str) -> str | None:
    """Return the decoded fragment, or null."""
    parts = _parts(text)
    return (unquote(parts.fragment) or None) if parts else None


@url("url_extract_parameter", "VARCHAR input, VARCHAR param -> VARCHAR", "Extracts a parameter of a URL's query.")
def parameter(text: str, name: str) -> str | None:
    """Return the first value of a parameter, or null."""
    parts = _parts(text)
    pairs = [pair.partition("=") for pair in unquote(parts.query).split("&")] if parts else []
    return next((value for key, _, value in pairs if key == name), None)


@url("url_encode_param", "VARCHAR input -> VARCHAR", "Encodes a value for a URL's query.")
def encode_param(text: str) -> str:
    """Return the value as application/x-www-form-urlencoded."""
    return quote_plus(text, safe="*").replace("~", "%7E")


@url("url_decode_param", "VARCHAR input -> VARCHAR", "Decodes a value from a URL's query.")
def decode_param(text: str) -> str:
    """Return the value that was encoded. Raises EvaluationError for a percent sign that begins no byte."""
    if _STRAY_PERCENT.search(text):
        raise EvaluationError(f"Illegal escape in '{text}'")
    return unquote_plus(text)
