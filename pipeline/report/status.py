"""The status, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from pipeline.clients.embedded import Server
from pipeline.observe.database import DatabaseLook
from pipeline.observe.lags import TopicLag
from pipeline.observe.status import ConnectorLook, QueryLook, Status
from pipeline.report.console import out, table

_GOOD = {"running", "RUNNING"}
_MIB = 2**20
_WIDE = 120  # columns of a terminal in which the metrics' addresses stand too
_REASONS = 5  # of dead letters on one screen
_SERVER_COLUMNS = ("server", "state", "address", "pid", "MiB", "restarts")
_NUMBERS = frozenset({"pid", "MiB", "restarts", "records behind", "seconds", "letters"})


def status_json(status: Status) -> str:
    """Return the contract's document."""
    letters = status.database.dead_letters if status.database else None
    check = status.database.last_verify if status.database else None
    return json.dumps(
        {
            "servers": [asdict(server) for server in status.servers],
            "connectors": [_connector_document(connector) for connector in status.connectors],
            "queries": [
                {**asdict(each.query), "lag_records": _records(each.lags), "topics": _lag_documents(each.lags)}
                for each in status.queries
            ],
            "dead_letters": letters and [asdict(letter) for letter in letters],
            "last_verify": check and {**asdict(check), "ended_at": check.ended_at.isoformat()},
            "problems": status.problems,
            "ok": status.ok,
        },
        indent=2,
    )


def render_status(status: Status) -> RenderableType:
    """Return the screen: servers, connectors, queries, dead letters, the last verification, and what is wrong."""
    parts: list[RenderableType] = [
        _servers(status.servers),
        _connectors(status.connectors),
        _queries(status.queries),
        *_database(status.database),
        _verdict(status.problems),
    ]
    return Group(*(each for part in parts for each in (part, Text())))


def _servers(servers: Sequence[Server]) -> RenderableType:
    metrics = out.width >= _WIDE and any(server.metrics_url for server in servers)
    shown = table(*_SERVER_COLUMNS, *(["metrics"] if metrics else []), numbers=_NUMBERS)
    for server in servers:
        size = f"{server.rss_bytes / _MIB:,.0f}" if server.rss_bytes else "-"
        row = (server.name, _coloured(server.state), escape(server.address), str(server.pid or "-"), size)
        shown.add_row(*row, str(server.restarts), *([escape(server.metrics_url or "-")] if metrics else []))
    return shown


def _connectors(connectors: Sequence[ConnectorLook]) -> RenderableType:
    if not connectors:
        return Text("no connectors deployed: `pipeline deploy`", style="dim")
    shown = table("connector", "state", "tasks running", "records behind", "seconds", "in", numbers=_NUMBERS)
    for connector in connectors:
        status = connector.status
        running = sum(task.state == "RUNNING" for task in status.tasks)
        state = "FAILED" if status.failure else status.state
        counts = f"{running} of {len(status.tasks)}"
        shown.add_row(escape(status.name), _coloured(state), counts, *_lag_cells(connector.lags))
        for topic in _behind(connector.lags)[1:]:
            shown.add_row("", "", "", *_lag_row(topic))
    return shown


def _queries(queries: Sequence[QueryLook]) -> RenderableType:
    if not queries:
        return Text("no ksqlDB queries", style="dim")
    shown = table("query", "state", "writes", "records behind", "seconds", "in", numbers=_NUMBERS)
    for each in queries:
        query = each.query
        shown.add_row(escape(query.id), _coloured(query.state), escape(", ".join(query.sinks)), *_lag_cells(each.lags))
    return shown


def _database(database: DatabaseLook | None) -> list[RenderableType]:
    if database is None:
        return []
    return [_letters(database), _last_verify(database)]


def _letters(database: DatabaseLook) -> RenderableType:
    if not database.dead_letters:
        return Text("no dead letters wait", style="dim")
    shown = table("dead letters of", "letters", "reason", numbers=_NUMBERS)
    for letters in database.dead_letters[:_REASONS]:
        shown.add_row(escape(letters.connector), f"[yellow]{letters.count:,}[/]", escape(letters.reason))
    if len(database.dead_letters) > _REASONS:
        rest = database.dead_letters[_REASONS:]
        shown.add_row("…", f"{sum(each.count for each in rest):,}", f"{len(rest)} more reasons: `pipeline dlq stats`")
    return shown


def _last_verify(database: DatabaseLook) -> RenderableType:
    check = database.last_verify
    if check is None:
        return Text("never verified: `pipeline verify`", style="dim")
    age = datetime.now(UTC) - check.ended_at
    outcome = "[green]exact[/]" if check.ok else f"[red]not exact[/]: {escape(check.differences_text)}"
    return Text.from_markup(f"verified {_span(age.total_seconds())} ago: {outcome}")


def _verdict(problems: Sequence[str]) -> RenderableType:
    if not problems:
        return Text("healthy", style="bold green")
    return Group(*(_wrapped(Text.assemble(("unhealthy: ", "bold red"), problem)) for problem in problems))


def _wrapped(line: Text) -> Text:
    """Return a line that is folded at the edge of the screen, where it would be cropped."""
    line.no_wrap, line.overflow = False, "fold"
    return line


def _lag_cells(lags: Sequence[TopicLag] | None) -> tuple[str, str, str]:
    """Return the cells of a consumer's first line: the topic where it is most behind."""
    if lags is None:
        return "?", "", ""
    behind = _behind(lags)
    return _lag_row(behind[0]) if behind else ("0", "", "")


def _lag_row(lag: TopicLag) -> tuple[str, str, str]:
    return f"[yellow]{lag.lag_records:,}[/]", f"{lag.lag_seconds:,.0f}", escape(lag.topic)


def _behind(lags: Sequence[TopicLag] | None) -> list[TopicLag]:
    return sorted((lag for lag in lags or () if lag.lag_records), key=lambda lag: -lag.lag_records)


def _connector_document(connector: ConnectorLook) -> dict[str, object]:
    return {
        "name": connector.status.name,
        "state": connector.status.state,
        "error": connector.status.error,
        "tasks": [asdict(task) for task in connector.status.tasks],
        "lag_records": _records(connector.lags),
        "lag_seconds": None if connector.lags is None else max((lag.lag_seconds for lag in connector.lags), default=0),
        "topics": _lag_documents(connector.lags),
    }


def _records(lags: Sequence[TopicLag] | None) -> int | None:
    return None if lags is None else sum(lag.lag_records for lag in lags)


def _lag_documents(lags: Sequence[TopicLag] | None) -> list[dict[str, object]]:
    return [asdict(lag) for lag in lags or ()]


def _coloured(state: str) -> str:
    return f"[{'green' if state in _GOOD else 'yellow' if state == 'PAUSED' else 'red'}]{escape(state)}[/]"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
