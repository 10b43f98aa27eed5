"""The status, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.markup import escape

from pipeline.observe.status import Status
from pipeline.report.console import out, table

_GOOD = {"running", "RUNNING"}
_MIB = 2**20


def status_json(status: Status) -> str:
    """Return the contract's document."""
    return json.dumps(
        {
            "servers": [asdict(server) for server in status.servers],
            "connectors": [
                {
                    "name": connector.status.name,
                    "state": connector.status.state,
                    "tasks": [asdict(task) for task in connector.status.tasks],
                    "lag_records": connector.lag_records,
                }
                for connector in status.connectors
            ],
            "error": status.error,
            "ok": status.ok,
        },
        indent=2,
    )


def print_status(status: Status) -> None:
    """Print servers, then connectors with every task that does not run."""
    if status.servers:
        servers = table(
            "server", "state", "address", "metrics", "pid", "MiB", "restarts", numbers=frozenset({"pid", "MiB"})
        )
        for server in status.servers:
            servers.add_row(
                server.name,
                _coloured(server.state),
                server.address,
                server.metrics_url or "-",
                str(server.pid or "-"),
                f"{(server.rss_bytes or 0) / _MIB:,.0f}",
                str(server.restarts),
            )
        out.print(servers)
        for server in status.servers:
            if server.reason:
                out.print(f"[red]{server.name} failed[/]: {escape(server.reason)}")
        out.print()
    if status.error:
        out.print(f"[red]{escape(status.error)}[/]")
        return
    connectors = table("connector", "state", "tasks", "lag (records)", "", numbers=frozenset({"lag (records)"}))
    for connector in status.connectors:
        running = sum(task.state == "RUNNING" for task in connector.status.tasks)
        connectors.add_row(
            connector.status.name,
            _coloured(connector.status.state),
            f"{running} of {len(connector.status.tasks)} running",
            "?" if connector.lag_records is None else f"{connector.lag_records:,}",
            escape(connector.status.failure or ""),
        )
    out.print(connectors if status.connectors else "no connectors deployed: `pipeline deploy`")


def _coloured(state: str) -> str:
    return f"[{'green' if state in _GOOD else 'red'}]{state}[/]"
