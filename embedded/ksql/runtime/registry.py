"""Client of a Confluent-compatible Schema Registry, with a cache by schema id."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests

from access.http import Endpoint, explain
from embedded.ksql.errors import ServerError, StatementError, UnavailableError

TIMEOUT_SECONDS = 10.0
NOT_FOUND = 404
CONFLICT = 409
UNPROCESSABLE = 422


class RegistryClient:
    """The registry's API as far as AVRO needs it; implements ``formats.interface.SchemaRegistry``."""

    def __init__(self, endpoint: Endpoint | None) -> None:
        self._endpoint = endpoint
        self._session = requests.Session()
        self._by_id: dict[int, str] = {}
        self._registered: dict[tuple[str, str], int] = {}

    def latest(self, subject: str) -> tuple[int, str] | None:
        """Return id and schema of the subject's newest version, or None if there is no such subject."""
        response = self._request("GET", f"/subjects/{quote(subject, safe='')}/versions/latest")
        if response.status_code == NOT_FOUND:
            return None
        found = _document(response)
        return int(found["id"]), str(found["schema"])

    def has(self, subject: str | None, schema_id: int | None) -> bool:
        """Whether there is a schema with the subject, with the id, or with both."""
        if subject is None:
            return self._request("GET", f"/schemas/ids/{schema_id}").ok
        versions = self._request("GET", f"/subjects/{quote(subject, safe='')}/versions")
        if schema_id is None or not versions.ok:
            return versions.ok
        named = self._request("GET", f"/schemas/ids/{schema_id}/versions")
        return named.ok and any(one["subject"] == subject for one in named.json())

    def by_id(self, schema_id: int) -> str:
        """Return a schema's JSON. Raises LookupError if the registry does not know the id."""
        known = self._by_id.get(schema_id)
        if known is not None:
            return known
        response = self._request("GET", f"/schemas/ids/{schema_id}")
        if response.status_code == NOT_FOUND:
            raise LookupError(f"Schema Registry has no schema with id {schema_id}")
        schema = str(_document(response)["schema"])
        self._by_id[schema_id] = schema
        return schema

    def register(self, subject: str, schema: str) -> int:
        """Register idempotently and return the id. Raises StatementError if the registry refuses the schema."""
        known = self._registered.get((subject, schema))
        if known is not None:
            return known
        path = f"/subjects/{quote(subject, safe='')}/versions"
        response = self._request("POST", path, json={"schema": schema})
        if response.status_code in (CONFLICT, UNPROCESSABLE):
            raise StatementError(f"Could not register schema for subject {subject}: {response.text}")
        schema_id = int(_document(response)["id"])
        self._registered[(subject, schema)] = schema_id
        self._by_id[schema_id] = schema
        return schema_id

    def delete(self, subject: str) -> None:
        """Delete a subject's versions; none is fine."""
        self._registered = {key: known for key, known in self._registered.items() if key[0] != subject}
        if self._endpoint is not None:
            self._request("DELETE", f"/subjects/{quote(subject, safe='')}")

    def is_reachable(self) -> bool:
        """Whether the registry answers; True if none is configured."""
        if self._endpoint is None:
            return True
        try:
            return self._request("GET", "/subjects").ok
        except ServerError:
            return False

    def _request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        if self._endpoint is None:
            raise StatementError("AVRO needs a Schema Registry: set PIPELINE_SCHEMA_REGISTRY_URL.")
        try:
            return self._session.request(
                method, self._endpoint.url + path, timeout=TIMEOUT_SECONDS, **arguments, **self._endpoint.options()
            )
        except requests.RequestException as error:
            raise UnavailableError(
                f"Schema Registry at {self._endpoint.url} does not answer: {explain(error)}"
            ) from error


def _document(response: requests.Response) -> dict[str, Any]:
    if not response.ok:
        answer = f"{response.status_code} to {response.url}: {response.text[:200]}"
        raise UnavailableError(f"Schema Registry answered {answer}")
    found: dict[str, Any] = response.json()
    return found
