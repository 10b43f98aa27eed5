"""What the demo says between its steps, and at its end."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from rich.markup import escape

from pipeline.report.console import out, table
from pipeline.settings import Settings


def print_step(number: int, title: str) -> None:
    """Announce a step."""
    out.print(f"\n[bold cyan]{number}. {escape(title)}[/]")


def print_steps(seconds: Mapping[str, float]) -> None:
    """Print how long each step took."""
    out.print()
    steps = table("step", "seconds", title="How long it took", numbers=frozenset({"seconds"}))
    for title, duration in seconds.items():
        steps.add_row(escape(title), f"{duration:.1f}")
    steps.add_row("[bold]altogether[/]", f"[bold]{sum(seconds.values()):.1f}[/]")
    out.print(steps)


def print_addresses(state_dir: Path, settings: Settings) -> None:
    """Print where to look around, and how to stop."""
    places = table("server", "address", title="Look around")
    places.add_row("Kafka", settings.kafka_bootstrap_servers)
    places.add_row("Schema Registry", settings.schema_registry_url)
    places.add_row("Kafka Connect", settings.connect_url)
    places.add_row("ksqlDB", settings.ksqldb_url)
    out.print()
    out.print(places)
    chosen = f"export PIPELINE_STATE_DIR={shlex.quote(str(state_dir))}"
    out.print(f"\nUse it:  {escape(chosen)}; pipeline status; psql \"$(pipeline env | sed -n 's/.*DSN=//p')\"")
    out.print("Stop it: pipeline down --delete-data")
