"""JSON over HTTP to one server, with errors that name the server, the URL and the next step."""

from __future__ import annotations

from typing import Any

import requests

from access.http import Endpoint, explain
from pipeline.errors import RejectedError, UnreachableError

TIMEOUT_SECONDS = 30.0
_CREDENTIALS_REFUSED = {requests.codes.unauthorized, requests.codes.forbidden}


class HttpClient:
    """Requests to one endpoint. ``server`` is its name in errors, ``setting`` how the variables begin to look at."""

    def __init__(self, endpoint: Endpoint, *, server: str, setting: str) -> None:
        self.base_url = endpoint.url
        self.endpoint = endpoint
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
        try:
            return response.json() if response.content else None
        except requests.JSONDecodeError as error:
            where = f"{response.request.method} {response.url}"
            message = f"{self._server} answers {where} with no JSON; is {self._setting}_URL its address?"
            raise RejectedError(message, status=response.status_code) from error

    def _send(self, method: str, path: str, body: Any, content_type: str) -> requests.Response:
        url = f"{self.base_url}{path}"
        try:
            response = self._session.request(
                method,
                url,
                json=body,
                headers={"Content-Type": content_type},
                timeout=TIMEOUT_SECONDS,
                **self.endpoint.options(),
            )
        except requests.RequestException as error:
            raise self.unreachable(error) from error
        if not response.ok:
            raise self.rejected(response)
        return response

    def unreachable(self, error: requests.RequestException) -> UnreachableError:
        """Return the error for a request that got no answer."""
        return UnreachableError(
            f"{self._server} does not answer at {self.base_url} ({explain(error)}). "
            f"Is it running (`pipeline status`)? Its address is {self._setting}_URL."
        )

    def rejected(self, response: requests.Response) -> RejectedError:
        """Return the error for an answer that is none of success."""
        status, where = response.status_code, f"{response.request.method} {response.url}"
        if status in _CREDENTIALS_REFUSED:
            message = (
                f"{self._server} refuses the credentials for {where} ({status}); see "
                f"{self._setting}_USERNAME and {self._setting}_PASSWORD"
            )
        else:
            message = f"{self._server} refused {where}: {status} {_reason(response)}"
        return RejectedError(message, status=status)


def _reason(response: requests.Response) -> str:
    try:
        document = response.json()
    except requests.JSONDecodeError:
        return response.text.strip()[:500]
    if isinstance(document, dict):
        return str(document.get("message") or document.get("detail") or document)
    return str(document)
