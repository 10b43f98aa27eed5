"""`pipeline env`."""

from __future__ import annotations

import shlex

import click

from pipeline.settings import Location, load_settings


@click.command()
@click.pass_obj
def env(location: Location) -> None:
    """Print the addresses in force, for `eval "$(pipeline env)"`: kcat, psql, curl and the ksql shell can use them."""
    settings = load_settings(location)
    addresses = {
        "PIPELINE_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "PIPELINE_SCHEMA_REGISTRY_URL": settings.schema_registry_url,
        "PIPELINE_CONNECT_URL": settings.connect_url,
        "PIPELINE_KSQLDB_URL": settings.ksqldb_url,
        "PIPELINE_POSTGRES_DSN": settings.postgres_dsn.get_secret_value(),
        "PIPELINE_STATE_DIR": str(location.state_dir),
    }
    for name, value in addresses.items():
        click.echo(f"export {name}={shlex.quote(value)}")
