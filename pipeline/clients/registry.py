"""The Schema Registry, by Confluent's REST API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from access.http import Endpoint
from pipeline.clients.http import HttpClient
from pipeline.errors import RejectedError

_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


def _is_ill(error: BaseException) -> bool:
    ill = requests.codes.server_error
    return isinstance(error, RejectedError) and error.status is not None and error.status >= ill


# The registry answers 500 while its database is away, and for a moment after that.
_once_well = retry(retry=retry_if_exception(_is_ill), stop=stop_after_delay(30), wait=wait_fixed(0.5), reraise=True)


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A version of a subject; ``text`` is its JSON as it was registered."""

    subject: str
    version: int
    id: int
    text: str


class SchemaRegistry:
    """Subjects, their versions and compatibility."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._http = HttpClient(endpoint, server="the Schema Registry", setting="PIPELINE_SCHEMA_REGISTRY")

    def lookup(self, subject: str, schema: str) -> int | None:
        """Return the id under which this very schema is registered for the subject, or None."""
        try:
            found = self._http.request(
                "POST", f"/subjects/{quote(subject, safe='')}", {"schema": schema}, content_type=_CONTENT_TYPE
            )
        except RejectedError as error:
            if error.status == requests.codes.not_found:
                return None
            raise
        return int(found["id"])

    def subjects(self) -> list[str]:
        """Return the names of all subjects."""
        return sorted(self._http.get("/subjects"))

    def version(self, subject: str, version: str = "latest") -> RegisteredSchema | None:
        """Return one version of a subject, the newest by default; None where there is none."""
        found = self._http.get_or_none(f"/subjects/{quote(subject, safe='')}/versions/{quote(version, safe='')}")
        return found and RegisteredSchema(subject, int(found["version"]), int(found["id"]), str(found["schema"]))

    def versions(self, subject: str) -> list[int]:
        """Return the subject's versions; none where there is no such subject."""
        return list(self._http.get_or_none(f"/subjects/{quote(subject, safe='')}/versions") or [])

    def register(self, subject: str, schema: str) -> int:
        """Register a new version and return its id. Raises RejectedError (409) if it is incompatible."""
        answer = self._http.request(
            "POST", f"/subjects/{quote(subject, safe='')}/versions", {"schema": schema}, content_type=_CONTENT_TYPE
        )
        return int(answer["id"])

    def latest_id(self, subject: str) -> int | None:
        """Return the id of the subject's newest schema, or None where there is no such subject."""
        latest = self._http.get_or_none(f"/subjects/{quote(subject, safe='')}/versions/latest")
        return latest and int(latest["id"])

    @_once_well
    def schema_by_id(self, schema_id: int) -> Any:
        """Return a schema's document, of an Avro record a dict.

        Raises RejectedError, with status 404 where there is none of that id, and JSONDecodeError for Protobuf.
        """
        return json.loads(self._http.get(f"/schemas/ids/{schema_id}")["schema"])

    def latest_schema(self, subject: str) -> dict[str, Any] | None:
        """Return the document of the subject's newest schema, or None where there is no such subject."""
        latest = self._http.get_or_none(f"/subjects/{quote(subject, safe='')}/versions/latest")
        return latest and dict(json.loads(latest["schema"]))

    def refusal(self, subject: str, schema: str) -> str | None:
        """Return why a schema is incompatible with the newest of the subject, None if it is not."""
        answer = self._http.request(
            "POST",
            f"/compatibility/subjects/{quote(subject, safe='')}/versions/latest?verbose=true",
            {"schema": schema},
            content_type=_CONTENT_TYPE,
        )
        if answer["is_compatible"]:
            return None
        return "; ".join(map(str, answer.get("messages") or ["the registry gives no reason"]))

    def delete_subject(self, subject: str) -> None:
        """Delete a subject; its schemas stay readable by id."""
        self._http.request("DELETE", f"/subjects/{quote(subject, safe='')}")

    def compatibility(self, subject: str) -> str | None:
        """Return the subject's own compatibility level, None where it has none."""
        answer = self._http.get_or_none(f"/config/{quote(subject, safe='')}")
        return answer and str(answer["compatibilityLevel"])

    def set_compatibility(self, subject: str, level: str) -> None:
        """Set the subject's compatibility level."""
        self._http.request(
            "PUT", f"/config/{quote(subject, safe='')}", {"compatibility": level}, content_type=_CONTENT_TYPE
        )
