"""ksqlDB's REST API: statements, and queries as rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import requests

from access.http import Endpoint, explain
from pipeline.clients.http import HttpClient
from pipeline.errors import RejectedError, UnreachableError

_CONTENT_TYPE = "application/vnd.ksql.v1+json"
_STREAM_TYPE = "application/vnd.ksqlapi.delimited.v1"


class ShownNumber(float):
    """A number with a point, shown as the server wrote it: a DECIMAL may have more digits than a float holds."""

    _text: str

    def __new__(cls, text: str) -> Self:
        """Return the number that a text stands for."""
        number = super().__new__(cls, text)
        number._text = text
        return number

    def __str__(self) -> str:
        return self._text


@dataclass(frozen=True, slots=True)
class RunningQuery:
    """A persistent query; ``state`` is RUNNING, ERROR, … as the server names it."""

    id: str
    sinks: tuple[str, ...]
    state: str


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """A stream or table: ``statement`` as the server keeps it, sinks that read it, queries that write it.

    ``columns`` are those of its values, in order, each with its type; STRUCT, ARRAY and MAP without what they hold.
    """

    kind: str
    topic: str
    statement: str
    readers: tuple[str, ...]
    writers: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]


class KsqlDb:
    """Statements and queries. ``stream_timeout_seconds`` ends a push query that goes silent; None waits for ever."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._http = HttpClient(endpoint, server="ksqlDB", setting="PIPELINE_KSQLDB")

    def execute(self, text: str, properties: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """Run statements and return one entity for each. Raises RejectedError with ksqlDB's own message."""
        body = {"ksql": text, "streamsProperties": properties or {}}
        answer: list[dict[str, Any]] = self._http.request("POST", "/ksql", body, content_type=_CONTENT_TYPE)
        return answer

    def sources(self) -> dict[str, str]:
        """Return every stream and table: name → STREAM or TABLE."""
        streams, tables = self.execute("LIST STREAMS; LIST TABLES;")
        return {
            **{source["name"]: "STREAM" for source in streams["streams"]},
            **{source["name"]: "TABLE" for source in tables["tables"]},
        }

    def describe(self) -> dict[str, SourceDescription]:
        """Return every stream and table by name, in one request."""
        answers = self.execute("DESCRIBE STREAMS; DESCRIBE TABLES;")
        described = (source for answer in answers for source in answer["sourceDescriptions"])
        return {
            source["name"]: SourceDescription(
                kind=str(source["type"]).upper(),
                topic=source["topic"],
                statement=source["statement"],
                readers=tuple(sink for query in source["readQueries"] for sink in query["sinks"]),
                writers=tuple(query["id"] for query in source["writeQueries"]),
                columns=tuple(
                    (field["name"], _type(field["schema"])) for field in source["fields"] if field.get("type") != "KEY"
                ),
            )
            for source in described
        }

    def consumer_groups(self, name: str) -> dict[str, list[str]]:
        """Return the consumer groups of the queries that write a source, each with the topics that it reads."""
        (answer,) = self.execute(f"DESCRIBE `{name}` EXTENDED;")
        return {
            summary["groupId"]: [topic["kafkaTopic"] for topic in summary["topicSummaries"]]
            for summary in answer["sourceDescription"]["queryOffsetSummaries"]
        }

    def refusal(self, statement: str, properties: dict[str, str]) -> str | None:
        """Return why the server would refuse a CREATE … AS, None if it would not; nothing is changed."""
        try:
            self.execute(f"EXPLAIN {statement}", properties)
        except RejectedError as error:
            return str(error)
        return None

    def queries(self) -> list[RunningQuery]:
        """Return the persistent queries with their state."""
        (answer,) = self.execute("LIST QUERIES;")
        return [
            RunningQuery(id=query["id"], sinks=tuple(query["sinks"]), state=query["state"])
            for query in answer["queries"]
            if query["queryType"] == "PERSISTENT"
        ]

    def service_id(self) -> str:
        """Return the service id, by which the server's consumer groups begin."""
        return str(self._http.get("/info")["KsqlServerInfo"]["ksqlServiceId"])

    def query_text(self, query_id: str) -> str:
        """Return the statement of a persistent query. Raises RejectedError where there is no such query."""
        (answer,) = self.execute(f"EXPLAIN {query_id};")
        return str(answer["queryDescription"]["statementText"])

    def set_running(self, query_id: str, *, running: bool) -> None:
        """Pause or resume a persistent query. Raises RejectedError where there is no such query."""
        self.execute(f"{'RESUME' if running else 'PAUSE'} {query_id};")

    def command_state(self, command_id: str) -> dict[str, str]:
        """Return status and message of a statement that was accepted."""
        kind, name, action = command_id.split("/", 2)
        answer: dict[str, str] = self._http.get(f"/status/{kind}/{name}/{action}")
        return answer

    def query(
        self, sql: str, properties: dict[str, str] | None = None, *, stream_timeout_seconds: float | None = None
    ) -> Iterator[list[Any]]:
        """Yield the column names, then each row, as they come; a number with a point is a ``ShownNumber``.

        Raises RejectedError with ksqlDB's message, UnreachableError if the server goes away in between.
        """
        body = {"sql": sql, "properties": properties or {}}
        yield from _rows(self._lines("/query-stream", body, _STREAM_TYPE, stream_timeout_seconds))

    def print_topic(self, sql: str, properties: dict[str, str] | None = None) -> Iterator[str]:
        """Yield the lines that PRINT shows, as they come; the errors are those of ``query``."""
        body = {"ksql": sql, "streamsProperties": properties or {}}
        yield from (line.decode() for line in self._lines("/query", body, _CONTENT_TYPE, None) if line)

    def _lines(
        self, path: str, body: dict[str, Any], accept: str, stream_timeout_seconds: float | None
    ) -> Iterator[bytes]:
        answered = False
        try:
            with requests.post(
                f"{self._http.base_url}{path}",
                data=json.dumps(body),
                headers={"Content-Type": _CONTENT_TYPE, "Accept": accept},
                stream=True,
                timeout=(10, stream_timeout_seconds),
                **self._http.endpoint.options(),
            ) as response:
                if not response.ok:
                    raise self._http.rejected(response)
                answered = True
                yield from response.iter_lines(chunk_size=1)
        except requests.RequestException as error:
            if not answered:
                raise self._http.unreachable(error) from error
            message = f"ksqlDB at {self._http.base_url} went away: {explain(error)}"
            raise UnreachableError(message) from error


def _type(schema: Mapping[str, Any]) -> str:
    parameters = schema.get("parameters")
    return f"{schema['type']}({', '.join(map(str, parameters.values()))})" if parameters else str(schema["type"])


def _rows(lines: Iterator[bytes]) -> Iterator[list[Any]]:
    for line in lines:
        document = json.loads(line, parse_float=ShownNumber)
        if isinstance(document, list):
            yield document
        elif "columnNames" in document:
            yield document["columnNames"]
        elif "message" in document:
            raise RejectedError(f"ksqlDB ended the query: {document['message']}")
