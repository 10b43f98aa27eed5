"""Readiness over HTTP."""

from __future__ import annotations

import requests

from access.http import Endpoint

_TIMEOUT_SECONDS = 5


def answers_ok(url: str) -> bool:
    """Tell whether a GET answers well."""
    try:
        return requests.get(url, timeout=_TIMEOUT_SECONDS, **Endpoint(url).options()).ok
    except requests.RequestException:
        return False
