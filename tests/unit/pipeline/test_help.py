from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.main import main


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


EVERY = list(commands(main))


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_every_command_explains_itself_with_an_example(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*command, "--help"])
    assert shown.exit_code == 0
    words = " ".join(shown.output.split())
    assert "Example: " in words
    assert f"{' '.join(command)}" in words.partition("Example: ")[2]


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_an_option_that_there_is_not_is_a_usage_error_in_one_line(command: tuple[str, ...]) -> None:
    outcome = CliRunner().invoke(main, [*command, "--no-such-option"])
    assert outcome.exit_code == 2
    assert "No such option" in outcome.output
