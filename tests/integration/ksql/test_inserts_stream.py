"""Rows sent to /inserts-stream become records, each acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.ksql.engine_case import SECONDS, Case
from tests.integration.ksql.topic import Reader


def inserted(case: Case, *lines: dict[str, Any] | str, is_http2: bool = True) -> httpx.Response:
    """Send lines, cut into chunks anywhere."""
    body = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(body), 17):
            yield body[start : start + 17]

    with httpx.Client(http1=not is_http2, http2=is_http2, timeout=SECONDS) as client:
        return client.post(f"{case.engine.url}/inserts-stream", content=chunks())


def answers(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/vnd.ksqlapi.delimited.v1"
    return [json.loads(line) for line in response.text.splitlines()]


@pytest.mark.parametrize("is_http2", [True, False])
def test_every_row_is_written_and_acknowledged(case: Case, *, is_http2: bool) -> None:
    rows: list[dict[str, Any]] = [{"who": "a", "n": 1}, {"WHO": "b", "N": 2}, {"n": 3}]
    response = inserted(case, {"target": case.name}, *rows, is_http2=is_http2)
    assert answers(response) == [{"status": "ok", "seq": number} for number in range(3)]
    records = Reader(case.clients, f"{case.name}-in").until(3)
    assert [(message.key(), json.loads(message.value() or b"")) for message in records] == [
        (b"a", {"N": 1}),
        (b"b", {"N": 2}),
        (None, {"N": 3}),
    ]


def test_a_row_that_does_not_fit_is_answered_with_its_error_and_ends_the_stream(case: Case) -> None:
    response = inserted(case, {"target": case.name}, {"who": "a", "n": 1}, {"who": "a", "n": [2]}, {"who": "a", "n": 3})
    acknowledged, refused = answers(response)
    assert acknowledged == {"status": "ok", "seq": 0}
    assert (refused["status"], refused["seq"], refused["error_code"]) == ("error", 1, 40000)
    assert '"n": [2]' in refused["message"]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("nonsense", "Invalid JSON in request"),
        ({}, "Missing required creator property 'target'"),
        ({"target": "no_such"}, "unknown stream/table: `NO_SUCH`"),
    ],
)
def test_a_request_that_names_no_stream_is_refused(case: Case, head: dict[str, Any] | str, message: str) -> None:
    response = inserted(case, head, {"n": 1})
    assert response.status_code == 400
    assert message in response.json()["message"]


def test_nothing_can_be_inserted_into_a_table(case: Case) -> None:
    case.engine.execute(
        f"CREATE TABLE {case.name}t (who STRING PRIMARY KEY, n INT) "
        f"WITH (KAFKA_TOPIC='{case.name}-in', VALUE_FORMAT='JSON');"
    )
    response = inserted(case, {"target": f"`{case.name.upper()}T`"}, {"who": "a", "n": 1})
    assert (response.status_code, response.json()["message"]) == (400, "Cannot insert into a table")
