"""`pipeline connectors`."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.completion import connector_names
from pipeline.cli.numbers import SECONDS
from pipeline.clients.connect import Connect, ConnectorStatus
from pipeline.clients.connector_states import await_at_work, await_state
from pipeline.clients.connector_states import restart as restart_connectors
from pipeline.clients.kafka import Kafka
from pipeline.observe.connectors import choose, find
from pipeline.report.connectors import (
    connectors_json,
    positions_json,
    print_connector,
    print_connectors,
    print_plugins,
    print_positions,
)
from pipeline.report.console import out
from pipeline.settings import Location, load_settings

_NAMES = click.argument("names", nargs=-1, shell_complete=connector_names)
_NAME = click.argument("name", shell_complete=connector_names)
_ALL = click.option("--all", "every", is_flag=True, help="All connectors.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_TIMEOUT = click.option(
    "--timeout", default=60.0, show_default=True, type=SECONDS, help="Seconds to wait for the new state."
)


@click.group()
def connectors() -> None:
    """Connectors as they run: look at them, pause, resume and restart them."""


@connectors.command("list")
@_JSON
@click.pass_obj
def list_(location: Location, *, as_json: bool) -> None:
    """List the connectors with their state.

    Example: pipeline connectors list
    """
    described = _connect(location).describe()
    if as_json:
        click.echo(connectors_json(described))
    else:
        print_connectors(described)


@connectors.command()
@_NAME
@_JSON
@click.pass_obj
def show(location: Location, name: str, *, as_json: bool) -> None:
    """Show a connector's state, its tasks with their errors, and its configuration; secrets are masked.

    Example: pipeline connectors show user-events
    """
    described = find(_connect(location), name)
    if as_json:
        click.echo(connectors_json([described]))
    else:
        print_connector(described)


@connectors.command()
@_JSON
@_NAME
@click.pass_obj
def offsets(location: Location, name: str, *, as_json: bool) -> None:
    """Show where a sink stands in each partition, and where the partition ends.

    Example: pipeline connectors offsets user-events
    """
    settings = load_settings(location)
    connect, kafka = Connect(settings.connect), Kafka(settings.kafka_config())
    positions = connect.sink_positions(find(connect, name).status.name)
    partitions = kafka.partitions()
    extents = kafka.extents({each.topic: partitions[each.topic] for each in positions if each.topic in partitions})
    if as_json:
        click.echo(positions_json(positions, extents))
    else:
        print_positions(positions, extents)


@connectors.command()
@click.pass_obj
def plugins(location: Location) -> None:
    """List the connector classes that are installed on the worker.

    Example: pipeline connectors plugins
    """
    print_plugins(_connect(location).sink_plugins())


@connectors.command()
@_NAMES
@_ALL
@_TIMEOUT
@click.pass_obj
def pause(location: Location, names: tuple[str, ...], timeout: float, *, every: bool) -> None:
    """Pause connectors: they read and write nothing until resumed, and keep their place.

    Example: pipeline connectors pause user-events
    """
    connect, chosen = _chosen(location, names, every=every)
    for name in chosen:
        connect.pause(name)
    for name in chosen:
        await_state(connect, name, "PAUSED", timeout_seconds=timeout)
    out.print(f"paused: {', '.join(chosen)}")


@connectors.command()
@_NAMES
@_ALL
@_TIMEOUT
@click.pass_obj
def resume(location: Location, names: tuple[str, ...], timeout: float, *, every: bool) -> None:
    """Let paused connectors go on where they stopped.

    Example: pipeline connectors resume --all
    """
    connect, chosen = _chosen(location, names, every=every)
    for name in chosen:
        connect.resume(name)
    for name in chosen:
        await_state(connect, name, "RUNNING", timeout_seconds=timeout)
    out.print(f"running: {', '.join(chosen)}")


@connectors.command()
@_NAMES
@_ALL
@click.option("--only-failed", is_flag=True, help="Only connectors of which something FAILED.")
@_TIMEOUT
@click.pass_obj
def restart(location: Location, /, names: tuple[str, ...], timeout: float, **options: Any) -> None:
    """Restart connectors and their tasks, and wait until all of them run; what is paused stays paused.

    Example: pipeline connectors restart --all --only-failed
    """
    connect, chosen = _chosen(location, names, every=options["every"])
    ill = [name for name, status in chosen.items() if status.failure]
    restart_connectors(connect, ill if options["only_failed"] else [*chosen], timeout_seconds=timeout)
    for name in chosen:
        await_at_work(connect, name, timeout_seconds=timeout)
    paused = [name for name, status in chosen.items() if status.state == "PAUSED"]
    running = [name for name in chosen if name not in paused]
    for state, found in (("running", running), ("still paused", paused)):
        if found:
            out.print(f"{state}: {', '.join(found)}")


def _connect(location: Location) -> Connect:
    return Connect(load_settings(location).connect)


def _chosen(location: Location, names: tuple[str, ...], *, every: bool) -> tuple[Connect, dict[str, ConnectorStatus]]:
    """Return the connectors that a person chose, each with its status."""
    if bool(names) == every:
        message = "name connectors, or say --all"
        raise click.UsageError(message)
    connect = _connect(location)
    return connect, {each.status.name: each.status for each in choose(connect, names)}
