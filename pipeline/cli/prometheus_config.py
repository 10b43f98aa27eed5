"""`pipeline prometheus-config`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from pipeline.cli.addresses import HostPort, written
from pipeline.exporter.scraping import scrape_configuration
from pipeline.settings import Location, load_settings

_DURATION = re.compile(r"(?:[0-9]{1,9}(?:ms|[smhdwy]))+")


def _duration(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not _DURATION.fullmatch(value) or not re.search(r"[1-9]", value):
        message = f"{value!r} is no duration of Prometheus; write 10s or 1m30s"
        raise click.BadParameter(message)
    return value


@click.command("prometheus-config")
@click.option(
    "--exporter",
    default="127.0.0.1:9808",
    show_default=True,
    type=HostPort(),
    help="Where `pipeline exporter` listens.",
)
@click.option(
    "--rules",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of alert rules (default: monitoring/alerts.yml of the project).",
)
@click.option(
    "--interval",
    default="10s",
    show_default=True,
    callback=_duration,
    help="How often Prometheus looks, as it writes that.",
)
@click.pass_obj
def prometheus_config(location: Location, exporter: tuple[str, int], rules: Path | None, interval: str) -> None:
    """Print a prometheus.yml that scrapes the servers in force and loads the alerts.

    Example: pipeline prometheus-config > prometheus.yml && prometheus --config.file=prometheus.yml
    """
    chosen = rules or location.project_dir / "monitoring" / "alerts.yml"
    click.echo(scrape_configuration(load_settings(location), written(exporter), chosen.absolute(), interval), nl=False)
