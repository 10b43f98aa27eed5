"""JSON over HTTP to one server, with errors that name the server, the URL and the next step."""

from __future__ import annotations

from typing import Any

import requests

from pipeline.errors import RejectedError, UnreachableError

TIMEOUT_SECONDS = 30.0


class HttpClient:
    """Requests to one base address. ``server`` is the name used in errors, ``setting`` the variable to look at."""

    def __init__(self, base_url: str, *, server: str, setting: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._server = server
        self._setting = setting
        self._session = requests.Session()

    def get(self, path: str) -> Any:
        """Return the JSON answer. Raises UnreachableError or RejectedError."""
        return self.request("GET", path)

    def get_or_none(self, path: str) -> Any:
        """Return the JSON answer, or None where the server says 404."""
        try:
            return self.request("GET", path)
        except RejectedError as error:
            if error.status == requests.codes.not_found:
                return None
            raise

    def request(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Any:
        """Send one request and return the JSON answer, None where there is no content."""
        response = self._send(method, path, body, content_type)
        return response.json() if response.content else None

    def _send(self, method: str, path: str, body: Any, content_type: str) -> requests.Response:
        url = f"{self.base_url}{path}"
        try:
            response = self._session.request(
                method, url, json=body, headers={"Content-Type": content_type}, timeout=TIMEOUT_SECONDS
            )
        except requests.RequestException as error:
            message = (
                f"{self._server} does not answer at {self.base_url} ({type(error).__name__}). "
                f"Is it running (`pipeline status`)? Its address is {self._setting}."
            )
            raise UnreachableError(message) from error
        if not response.ok:
            reason = _reason(response)
            message = f"{self._server} refused {method} {url}: {response.status_code} {reason}"
            raise RejectedError(message, status=response.status_code)
        return response


def _reason(response: requests.Response) -> str:
    try:
        document = response.json()
    except requests.JSONDecodeError:
        return response.text.strip()[:500]
    if isinstance(document, dict):
        return str(document.get("message") or document.get("detail") or document)
    return str(document)
