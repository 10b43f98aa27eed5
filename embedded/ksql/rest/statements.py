"""POST /ksql: executes the statements of a request, in order, all or none of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.named_types import resolve_types
from embedded.ksql.language.parser import ParsedStatement, parse
from embedded.ksql.planning.catalog import Catalog
from embedded.ksql.rest.asserting import assert_statement
from embedded.ksql.rest.bodies import StatementsBody
from embedded.ksql.rest.looking import Entity, Looker
from embedded.ksql.runtime.engine import Engine, Executed
from embedded.ksql.runtime.insert_values import check_values, target_of
from embedded.ksql.runtime.properties import define, request_properties
from embedded.ksql.runtime.world import PlannedWorld
from embedded.ksql.statements.changes import Change, NothingToDo, apply
from embedded.ksql.statements.prepare import is_change, prepare

SEQUENCE_WAIT_SECONDS = 5.0
# A command and its transaction's marker.
_OFFSETS_A_COMMAND = 2


class WrongEndpointError(StatementError):
    """A query where only statements are executed."""

    error_code = 40002


class NotExecutedInTimeError(KsqlError):
    """A command that the client wants to have been executed before was not."""

    status = 503
    error_code = 50301


def execute_request(engine: Engine, body: StatementsBody, address: str) -> list[Entity]:
    """Execute a request and return one entity a statement that has something to say. Raises KsqlError."""
    wait_for_command(engine, body)
    with naming(body.text):
        properties = request_properties(body.properties)
        statements = parse(body.text, body.variables)
    with engine.changing():
        _Trial(engine, dict(properties), dict(body.variables), address).check(statements)
        looker = Looker(engine, engine.catalog, properties, dict(body.variables), address)
        request = _Request(engine, looker)
        entities: list[Entity] = []
        for parsed in statements:
            with naming(parsed.text):
                entity = request.execute(parsed)
            if entity is not None:
                entities.append({"statementText": parsed.text, **entity, "warnings": []})
        return entities


def wait_for_command(engine: Engine, body: StatementsBody) -> None:
    """Wait for the command that the client has seen last. Raises NotExecutedInTimeError."""
    number = body.sequence_number
    if number is not None and not engine.wait_for(number, SEQUENCE_WAIT_SECONDS):
        raise NotExecutedInTimeError(
            f"Timed out while waiting for a previous command to execute. command sequence number: {number}"
        )


@contextmanager
def naming(text: str) -> Iterator[None]:
    """Give errors from within the statement's text, unless they have one."""
    try:
        yield
    except KsqlError as error:
        error.statement_text = error.statement_text or text
        raise


@dataclass(slots=True)
class _Request:
    """Executes checked statements."""

    engine: Engine
    looker: Looker

    def execute(self, parsed: ParsedStatement) -> Entity | None:
        statement, engine = parsed.statement, self.engine
        if define(statement, self.looker.properties, self.looker.variables):
            return None
        if is_change(statement):
            return _change_entity(engine.execute(parsed, dict(self.looker.properties)))
        match statement:
            case ast.InsertValues(target):
                engine.insert(_resolved(statement, engine.catalog), target_of(target, engine.catalog))
                return None
            case ast.AssertTopic() | ast.AssertSchema():
                with engine.letting_others():
                    return assert_statement(statement, engine.cluster)
        return self.looker.look(parsed)


class _Trial:
    """Checks the statements of a request on a copy of the catalog, each after those before it."""

    def __init__(self, engine: Engine, properties: dict[str, str], variables: dict[str, str], address: str) -> None:
        self._engine, self._catalog = engine, engine.catalog.copy()
        self._world, self._number = PlannedWorld(engine.world), engine.next_query_number
        self._looker = Looker(engine, self._catalog, properties, variables, address)

    def check(self, statements: list[ParsedStatement]) -> None:
        for parsed in statements:
            with naming(parsed.text):
                self._check(parsed)

    def _check(self, parsed: ParsedStatement) -> None:
        statement = parsed.statement
        if define(statement, self._looker.properties, self._looker.variables):
            return
        if is_change(statement):
            self._change(parsed)
            return
        match statement:
            case ast.Query() | ast.PrintTopic():
                raise WrongEndpointError(
                    "The following statement types should be issued to the websocket endpoint '/query':\n"
                    "\t* PRINT\n\t* SELECT"
                )
            case ast.UnsupportedStatement(what):
                raise StatementError(f"{what} is not supported by the embedded engine.")
            case ast.InsertValues(target):
                check_values(_resolved(statement, self._catalog), target_of(target, self._catalog))
            case ast.Describe() | ast.DescribeFunction() | ast.Explain() | ast.Show("CONNECTORS"):
                self._looker.look(parsed)

    def _change(self, parsed: ParsedStatement) -> None:
        properties = dict(self._looker.properties)
        change = prepare(parsed, self._catalog, self._world, properties, self._number)
        if isinstance(change, Change):
            self._world.expect(change)
            apply(change, self._catalog)
            self._number += _OFFSETS_A_COMMAND


def _resolved(statement: ast.InsertValues, catalog: Catalog) -> ast.InsertValues:
    return resolve_types(statement, catalog.types)


def _change_entity(done: Executed | NothingToDo) -> dict[str, Any]:
    if isinstance(done, NothingToDo):
        return {"@type": "warning_entity", "message": done.message}
    return current_status(done)


def current_status(done: Executed) -> dict[str, Any]:
    """Return the entity that tells of a command."""
    status = done.status
    return {
        "@type": "currentStatus",
        "statementText": done.change.text,
        "commandId": done.change.command_id,
        "commandStatus": {"status": status.status, "message": status.message, "queryId": status.query_id},
        "commandSequenceNumber": done.sequence_number,
    }
