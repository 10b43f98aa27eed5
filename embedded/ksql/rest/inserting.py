"""POST /inserts-stream: rows as lines of JSON, each answered once the broker has it.

The first line names the stream: ``{"target": "CLICKS"}``. A row that does not fit is answered with its error, and
ends the stream. Over HTTP/2 answers come while rows are still being sent.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from functools import partial

from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from embedded.ksql.errors import KsqlError
from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.formats.json_format import JsonSerde
from embedded.ksql.planning.catalog import DeclaredSource
from embedded.ksql.rest.answers import DELIMITED
from embedded.ksql.rest.bodies import parse_object
from embedded.ksql.rest.errors import error_response
from embedded.ksql.runtime.engine import Engine
from embedded.ksql.runtime.insert_values import target_of
from embedded.ksql.runtime.record_writer import Values


class Inserts:
    """The endpoint of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def inserts_stream(self, request: Request) -> Response:
        """Answer POST /inserts-stream."""
        batches = _lines(request)
        try:
            head, *rows = await anext(batches, [b""])
            inserter = await run_sync(partial(self._inserter, head))
        except KsqlError as error:
            return error_response(error)
        return _Acknowledgements(inserter, rows, batches)

    def _inserter(self, head: bytes) -> _Inserter:
        target = parse_object(head).get("target")
        if target is None:
            raise KsqlError("Invalid JSON in request: Missing required creator property 'target' (index 0)")
        name = str(target)
        name = name[1:-1] if name.startswith("`") and name.endswith("`") else name.upper()
        with self._engine.changing():
            source = target_of(name, self._engine.catalog)
        if source.kind == "TABLE":
            raise KsqlError("Cannot insert into a table")
        return _Inserter(self._engine, source)


class _Inserter:
    """Writes the rows of one request."""

    def __init__(self, engine: Engine, source: DeclaredSource) -> None:
        self.has_failed = False
        self._keys = len(source.schema.key)
        self._read = JsonSerde([*source.schema.key, *source.schema.payload]).deserialize
        self._writer = engine.writer(source)
        self._answered = 0

    def insert(self, lines: Sequence[bytes]) -> bytes:
        """Write rows; return a line for each. After one that fails nothing more is written."""
        records: list[Values] = []
        failure: KsqlError | None = None
        try:
            for line in lines:
                row = self._read(line)
                records.append(Values(row[: self._keys], row[self._keys :], None))
        except DeserializationError as error:
            failure = KsqlError(f"Row {line.decode(errors='replace')} cannot be inserted: {error}")
        try:
            self._writer.write(records)
        except KsqlError as error:
            records, failure = [], error
        answers = [{"status": "ok", "seq": self._answered + index} for index in range(len(records))]
        self._answered += len(records)
        if failure is not None:
            self.has_failed = True
            refused = {"status": "error", "seq": self._answered, "error_code": failure.error_code}
            answers.append({**refused, "message": failure.message})
        return "".join(json.dumps(answer) + "\n" for answer in answers).encode()


class _Acknowledgements(Response):
    """Answers while the request is being read, which a StreamingResponse would read away in search of its end."""

    def __init__(self, inserter: _Inserter, rows: Sequence[bytes], batches: AsyncIterator[list[bytes]]) -> None:
        super().__init__(media_type=DELIMITED)
        del self.headers["content-length"]
        self._inserter, self._rows, self._batches = inserter, rows, batches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for answers in self._answers():
            await send({"type": "http.response.body", "body": answers, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _answers(self) -> AsyncIterator[bytes]:
        inserter = self._inserter
        try:
            if self._rows:
                yield await run_sync(inserter.insert, self._rows)
            while not inserter.has_failed and (rows := await anext(self._batches, None)) is not None:
                yield await run_sync(inserter.insert, rows)
        except ClientDisconnect:
            return


async def _lines(request: Request) -> AsyncIterator[list[bytes]]:
    """Yield the lines that have come, as they come."""
    rest = b""
    async for chunk in request.stream():
        *lines, rest = (rest + chunk).split(b"\n")
        if whole := [line for line in lines if line.strip()]:
            yield whole
    if rest.strip():
        yield [rest]
