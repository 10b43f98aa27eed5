"""The Schema Registry: under which id our schema is registered."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from access.http import Endpoint, explain
from producer.errors import RejectedError, SchemaNotRegisteredError, UnreachableError

TIMEOUT_SECONDS = 10.0
NOT_FOUND = {40401, 40403}  # no such subject; no such schema in it. A bare 404 comes from another kind of server
REFUSED = {requests.codes.unauthorized, requests.codes.forbidden}
CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


def registered_id(registry: Endpoint, subject: str, schema: Mapping[str, Any]) -> int:
    """Return the id of exactly this schema under the subject; never registers it.

    Raises:
        SchemaNotRegisteredError: the subject is unknown, or holds only other schemas.
        UnreachableError: the registry does not answer.
        RejectedError: the registry refuses.
    """
    endpoint = f"{registry.url}/subjects/{quote(subject, safe='')}"
    body = json.dumps({"schema": json.dumps(schema)})
    try:
        response = requests.post(
            endpoint, body, headers={"Content-Type": CONTENT_TYPE}, timeout=TIMEOUT_SECONDS, **registry.options()
        )
        document = response.json()
    except requests.JSONDecodeError as error:
        if response.status_code in REFUSED:
            raise RejectedError(
                f"the Schema Registry at {registry.url} refuses the credentials ({response.status_code}); see "
                "PIPELINE_SCHEMA_REGISTRY_USERNAME and PIPELINE_SCHEMA_REGISTRY_PASSWORD"
            ) from error
        raise RejectedError(
            f"{endpoint} answered {response.status_code} and no JSON: is PIPELINE_SCHEMA_REGISTRY_URL right?"
        ) from error
    except requests.RequestException as error:
        raise UnreachableError(
            f"the Schema Registry does not answer at {registry.url} ({explain(error)}); "
            "start it (`pipeline up`) or correct PIPELINE_SCHEMA_REGISTRY_URL"
        ) from error
    if isinstance(document, dict) and document.get("error_code") in NOT_FOUND:
        raise SchemaNotRegisteredError(
            f"the schema of the producer is not registered under subject {subject} at {registry.url}; "
            "run `pipeline deploy`"
        )
    if not response.ok or "id" not in document:
        reason = document.get("message", document) if isinstance(document, dict) else document
        raise RejectedError(f"the Schema Registry refused POST {endpoint}: {response.status_code} {reason}")
    return int(document["id"])
