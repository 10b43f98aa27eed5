"""`python -m embedded status`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from embedded.processes import find, resident_bytes
from embedded.state import ServerState, StateDir


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(state_dir: StateDir, *, as_json: bool) -> None:
    """Show the servers."""
    servers = [_document(server) for server in state_dir.read().servers.values()]
    if as_json:
        click.echo(json.dumps({"servers": servers}))
        return
    for server in servers:
        click.echo("  ".join(str(value) for value in server.values()))


def _document(server: ServerState) -> dict[str, Any]:
    alive = find(server.process) is not None
    known = asdict(server)
    return {
        "name": server.name,
        "pid": server.process.pid if alive and server.process else None,
        "address": server.address,
        "metrics_url": server.metrics_url,
        "state": "dead" if server.state == "running" and not alive else known["state"],
        "rss_bytes": resident_bytes(server.process),
        "restarts": server.restarts,
        "reason": server.reason,
    }
