"""Answers to queries in the media types that clients ask for, as streams of text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from embedded.ksql.planning.pull import PullColumn
from embedded.ksql.rest.values import row_writer

DELIMITED = "application/vnd.ksqlapi.delimited.v1"
KSQL_JSON = "application/vnd.ksql.v1+json"
JSON = "application/json"
LIMIT_REACHED, COMPLETED = "Limit Reached", "Query Completed"
SERVER_ERROR = 50000


@dataclass(frozen=True, slots=True)
class Layout:
    """How an answer is laid out: what comes before, between and after header and rows."""

    opening: str
    separator: str
    closing: str
    is_enveloped: bool  # {"header": …}, {"row": {"columns": …}} instead of bare arrays
    is_line_wise: bool = False  # while rows stream, each is a complete line: the separator follows it at once


LAYOUTS = {
    DELIMITED: Layout("", "\n", "\n", is_enveloped=False, is_line_wise=True),
    JSON: Layout("[", ",\n", "]", is_enveloped=False),
    KSQL_JSON: Layout("[", ",\n", "]", is_enveloped=True, is_line_wise=True),
}


def layout_for(accept: str | None, path: str) -> Layout | None:
    """Return the layout for an Accept header, or None if no wanted media type is one of ours."""
    if accept is None:
        return LAYOUTS[DELIMITED if path == "/query-stream" else KSQL_JSON]
    for wanted in accept.split(","):
        media_type = wanted.partition(";")[0].strip()
        if media_type == "*/*":
            return LAYOUTS[DELIMITED]
        if media_type == JSON and path == "/query":
            return LAYOUTS[KSQL_JSON]
        if media_type in LAYOUTS:
            return LAYOUTS[media_type]
    return None


class AnswerText:
    """Turns header and rows of one answer into text."""

    def __init__(self, layout: Layout, query_id: str, columns: Sequence[PullColumn]) -> None:
        self._layout, self._query_id, self._columns = layout, query_id, columns
        self._write = row_writer([column.type for column in columns])

    def header(self) -> str:
        """Return what comes before the first row."""
        if not self._layout.is_enveloped:
            document: dict[str, Any] = {
                "queryId": self._query_id,
                "columnNames": [column.name for column in self._columns],
                "columnTypes": [str(column.type) for column in self._columns],
            }
        else:
            listed = [f"`{one.name}` {one.type}{' KEY' if one.is_key else ''}" for one in self._columns]
            document = {"header": {"queryId": self._query_id, "schema": ", ".join(listed)}}
        return self._layout.opening + _json(document)

    def whole(self, rows: Iterable[Sequence[Any]]) -> str:
        """Return the complete answer to a pull query."""
        separator = self._layout.separator
        return self.header() + "".join([separator + self._row(row) for row in rows]) + self._layout.closing

    def begin(self) -> str:
        """Return the beginning of an answer whose rows stream."""
        return self.header() + (self._layout.separator if self._layout.is_line_wise else "")

    def rows(self, rows: Iterable[Sequence[Any]]) -> str:
        """Return further rows of an answer that streams."""
        separator, follows = self._layout.separator, self._layout.is_line_wise
        return "".join([self._row(row) + separator if follows else separator + self._row(row) for row in rows])

    def tombstone(self, row: Sequence[Any]) -> str:
        """Return a row that is no more; its key columns are all that is known."""
        text = self._row(row)
        if self._layout.is_enveloped:
            text = f'{text[:-2]},"tombstone":true}}}}'
        separator = self._layout.separator
        return text + separator if self._layout.is_line_wise else separator + text

    def end(self, final_message: str) -> str:
        """Return what comes after the last row of an answer that streamed."""
        if self._layout.is_enveloped:
            return f'{{"finalMessage":"{final_message}"}}{self._layout.closing}'
        return "" if self._layout.is_line_wise else self._layout.closing

    def failure(self, message: str) -> str:
        """Return the end of an answer that broke off: an error after the header or some rows."""
        error = {"@type": "generic_error", "error_code": SERVER_ERROR, "message": message}
        text = _json({"errorMessage": error} if self._layout.is_enveloped else error)
        return text + self._layout.closing if self._layout.is_line_wise else self._layout.separator + text + "]"

    def _row(self, row: Sequence[Any]) -> str:
        values = self._write(row)
        return f'{{"row":{{"columns":{values}}}}}' if self._layout.is_enveloped else values


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
