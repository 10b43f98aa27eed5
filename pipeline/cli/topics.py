"""`pipeline topics`."""

from __future__ import annotations

from collections.abc import Iterable

import click

from pipeline.cli.completion import topic_names
from pipeline.clients.kafka import Kafka
from pipeline.errors import PipelineError
from pipeline.report.topics import print_topic, print_topics, topics_json
from pipeline.settings import Location, load_settings


@click.group()
def topics() -> None:
    """Topics as they are: partitions, records, settings."""


@topics.command("list")
@click.option("--internal", is_flag=True, help="Also topics that Kafka, Connect and ksqlDB keep for themselves.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(location: Location, *, internal: bool, as_json: bool) -> None:
    """List the topics with the number of their offsets and what is set on them.

    Example: pipeline topics list
    """
    kafka = Kafka(load_settings(location).kafka_config())
    partitions = {
        name: count for name, count in kafka.partitions().items() if internal or not name.startswith(("_", "connect-"))
    }
    extents, overrides = kafka.extents(partitions), _overrides(kafka, partitions)
    if as_json:
        click.echo(topics_json(extents, overrides))
    else:
        print_topics(extents, overrides)


@topics.command()
@click.argument("name", shell_complete=topic_names)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(location: Location, name: str, *, as_json: bool) -> None:
    """Show a topic's partitions with their offsets, and what is set on it.

    Example: pipeline topics show user-events
    """
    kafka = Kafka(load_settings(location).kafka_config())
    partitions = kafka.partitions()
    if name not in partitions:
        message = f"there is no topic {name}; `pipeline topics list` shows those that there are"
        raise PipelineError(message)
    extents, overrides = kafka.extents({name: partitions[name]}), _overrides(kafka, [name])
    if as_json:
        click.echo(topics_json(extents, overrides))
    else:
        print_topic(extents[name], overrides[name])


def _overrides(kafka: Kafka, names: Iterable[str]) -> dict[str, dict[str, str]]:
    return {name: dict(settings.overrides) for name, settings in kafka.topic_settings(list(names)).items()}
