"""Answers to queries in the media types that clients ask for, as streams of text."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from embedded.ksql.planning.pull import PullColumn
from embedded.ksql.rest.values import row_writer

DELIMITED = "application/vnd.ksqlapi.delimited.v1"
KSQL_JSON = "application/vnd.ksql.v1+json"
JSON = "application/json"
LIMIT_REACHED = "Limit Reached"


@dataclass(frozen=True, slots=True)
class Layout:
    """How an answer is laid out: what comes before, between and after header and rows."""

    opening: str
    separator: str
    closing: str
    is_enveloped: bool  # {"header": …}, {"row": {"columns": …}} instead of bare arrays


LAYOUTS = {
    DELIMITED: Layout("", "\n", "\n", is_enveloped=False),
    JSON: Layout("[", ",\n", "]", is_enveloped=False),
    KSQL_JSON: Layout("[", ",\n", "]", is_enveloped=True),
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
        return self._layout.opening + json.dumps(document, separators=(",", ":"), ensure_ascii=False)

    def rows(self, rows: Iterable[Sequence[Any]]) -> str:
        """Return rows, each after a separator."""
        before, after = ('{"row":{"columns":', "}}") if self._layout.is_enveloped else ("", "")
        return "".join([f"{self._layout.separator}{before}{self._write(row)}{after}" for row in rows])

    def end(self, *, limit_reached: bool) -> str:
        """Return what comes after the last row."""
        message = ""
        if limit_reached and self._layout.is_enveloped:
            message = f'{self._layout.separator}{{"finalMessage":"{LIMIT_REACHED}"}}'
        return message + self._layout.closing


async def whole_answer(text: AnswerText, rows: Sequence[Sequence[Any]]) -> AsyncIterator[str]:
    """Yield the answer to a pull query."""
    yield text.header() + text.rows(rows) + text.end(limit_reached=False)
