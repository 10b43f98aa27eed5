"""`pipeline prometheus-config`."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.exporter.scraping import scrape_configuration
from pipeline.settings import Location, load_settings


@click.command("prometheus-config")
@click.option("--exporter", default="127.0.0.1:9808", show_default=True, help="Where `pipeline exporter` listens.")
@click.option(
    "--rules",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of alert rules (default: monitoring/alerts.yml of the project).",
)
@click.option("--interval", default="10s", show_default=True, help="How often Prometheus looks, as it writes that.")
@click.pass_obj
def prometheus_config(location: Location, exporter: str, rules: Path | None, interval: str) -> None:
    """Print a prometheus.yml that scrapes the servers in force and loads the alerts.

    Example: pipeline prometheus-config > prometheus.yml && prometheus --config.file=prometheus.yml
    """
    chosen = rules or location.project_dir / "monitoring" / "alerts.yml"
    click.echo(scrape_configuration(load_settings(location), exporter, chosen.absolute(), interval), nl=False)
