"""Completion in the shell: the script, and the names that servers know."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem, get_completion_class

from pipeline.cli.location import location_of
from pipeline.clients.connect import Connect
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb
from pipeline.clients.registry import SchemaRegistry
from pipeline.errors import PipelineError
from pipeline.settings import Settings, load_settings

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options and the names of connectors, topics, subjects and queries.

    Example: eval "$(pipeline completion bash)"
    """
    root = context.find_root()
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click has these three
    click.echo(made(root.command, {}, "pipeline", "_PIPELINE_COMPLETE").source())


def _names(ask: Callable[[Settings], Iterable[str]]) -> Complete:
    """Return a completion that asks a server; while none answers there is nothing to complete."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        taken = context.params.get(parameter.name or "") or ()
        try:
            names = ask(load_settings(location_of(context)))
            return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete) and name not in taken]
        except PipelineError:
            return []

    return complete


connector_names = _names(lambda settings: Connect(settings.connect).names())
topic_names = _names(lambda settings: Kafka(settings.kafka_config()).partitions())
subject_names = _names(lambda settings: SchemaRegistry(settings.schema_registry).subjects())
query_ids = _names(lambda settings: (query.id for query in KsqlDb(settings.ksqldb).queries()))
