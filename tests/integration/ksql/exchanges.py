"""Recorded REST exchanges: sending a request again, and comparing answers without what varies from run to run."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import requests

RECORDED = Path(__file__).parents[2] / "golden" / "ksql_rest.json"
SILENT_SECONDS = 2.0
ENDLESS_SECONDS = 4.0
ANSWER_SECONDS = 30.0

# Ids, times, offsets, hosts and memory differ from run to run.
VARYING = {
    "queryId",
    "id",
    "version",
    "kafkaClusterId",
    "commandSequenceNumber",
    "timestamp",
    "host",
    "statistics",
    "errorStats",
    "ksqlHostQueryStatus",
    "queryOffsetSummaries",
    "clusterStatistics",
    "clusterErrorStats",
    "tasksMetadata",
    "topology",
    "executionPlan",
    "statusCount",
    "state",
    "overriddenProperties",
}
NUMBERED = re.compile(r"\b((?:CSAS|CTAS|CST|INSERTQUERY)(?:_[A-Z0-9_]+?)?)_\d+\b")
JAVA = re.compile(r"(io\.confluent|java\.|org\.apache)[\w.$]+(: )?")


def load_exchanges() -> list[dict[str, Any]]:
    exchanges: list[dict[str, Any]] = json.loads(RECORDED.read_text(encoding="utf-8"))["exchanges"]
    return exchanges


def send(base_url: str, request: dict[str, Any]) -> tuple[int, str]:
    """Send a recorded request; an answer that never ends is cut off once it falls silent."""
    body = request["body"]
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body))
    headers = {"Content-Type": "application/json", "Accept": request.get("accept")}  # None: requests sends none
    is_endless = "EMIT CHANGES" in str(body) or "PRINT" in str(body)
    with requests.request(
        request["method"],
        base_url + request["path"],
        data=data,
        headers=headers,
        stream=True,
        allow_redirects=False,
        timeout=(5, SILENT_SECONDS if is_endless and request["path"] != "/ksql" else ANSWER_SECONDS),
    ) as response:
        return response.status_code, _text(response, ENDLESS_SECONDS if is_endless else ANSWER_SECONDS)


def _text(response: requests.Response, seconds: float) -> str:
    parts: list[bytes] = []
    deadline = time.monotonic() + seconds
    try:
        for part in response.iter_content(chunk_size=None):
            parts.append(part)
            if time.monotonic() > deadline:
                break
    except requests.ConnectionError:
        return b"".join(parts).decode()  # it fell silent
    return b"".join(parts).decode()


def comparable(body: Any) -> Any:
    """Return an answer in a form in which two that say the same are equal."""
    if isinstance(body, str):
        body = _documents(body)
    return _normal(body)


def _documents(text: str) -> Any:
    """Return the JSON of an answer: a document, one a line, or an array that was cut off; else the text."""
    for candidate in (text, text.rstrip().rstrip(",") + "]"):
        try:
            return json.loads(candidate)
        except ValueError:
            continue
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return sorted(line for line in text.splitlines() if line.strip())


def _normal(value: Any) -> Any:
    match value:
        case {"status": "EXECUTING" | "SUCCESS"}:
            return "accepted"  # how far it was when it was answered is a matter of milliseconds
        case dict():
            return {name: type(part).__name__ if name in VARYING else _normal(part) for name, part in value.items()}
        case list():
            return sorted((_normal(part) for part in value), key=repr)
        case str():
            return JAVA.sub("", NUMBERED.sub(r"\1_N", value))
        case _:
            return value
