"""`pipeline exporter`."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.addresses import HostPort
from pipeline.cli.logs import configure_logs
from pipeline.cli.numbers import INTERVAL
from pipeline.exporter.exporter import Snapshot, serve
from pipeline.exporter.sources import sources
from pipeline.interruption import stop_on_signals
from pipeline.settings import Location, load_settings


@click.command()
@click.option("--listen", default="127.0.0.1:9808", show_default=True, type=HostPort(), help="Where to serve /metrics.")
@click.option("--interval", default=10.0, show_default=True, type=INTERVAL, help="Seconds between looks.")
@click.option(
    "--disk",
    "disks",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Also tell the free space of the disk that holds this path; repeatable.",
)
@click.pass_obj
def exporter(location: Location, listen: tuple[str, int], interval: float, disks: tuple[Path, ...]) -> None:
    """Serve Prometheus metrics of what no server tells, until Ctrl-C.

    Lag in seconds, dead letters by reason, the last checks, rows, the state of connectors, tasks and queries.

    Example: pipeline exporter
    """
    host, port = listen
    configure_logs()
    snapshot = Snapshot(sources(load_settings(location)), disks or _state_disk(location))
    with stop_on_signals() as stop:
        serve(snapshot, host, port, interval_seconds=interval, stop=stop)


def _state_disk(location: Location) -> tuple[Path, ...]:
    """Return where the embedded stack keeps its data, if it runs here."""
    return (location.state_dir,) if location.environment_file.is_file() else ()
