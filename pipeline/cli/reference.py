"""The command reference, docs/commands.md, from what the commands say of themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click

from pipeline.cli.main import main

_WIDTH = 120  # characters, whatever terminal this runs in
_HEAD = """\
# Commands

Written by `make reference` from the command line itself; a test compares. `pipeline COMMAND --help` says the same.

Exit codes: 0 good, 1 failed, 2 usage, settings or declaration, 3 drift.
"""


def reference() -> str:
    """Return the whole page as Markdown."""
    context = click.Context(main, info_name="pipeline", terminal_width=_WIDTH, **main.context_settings)
    sections = [_HEAD, _section(main, context), *_commands(main, context)]
    return "\n".join(sections)


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield _section(command, inner)
        if isinstance(command, click.Group):
            yield from _commands(command, inner)


def _section(command: click.Command, context: click.Context) -> str:
    lines = [f"## {context.command_path}", "", f"    {context.get_usage().removeprefix('Usage: ')}", ""]
    lines += [paragraph.strip() for paragraph in (command.help or "").strip().splitlines()] + [""]
    options = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context))]
    if options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| `{_cell(names)}` | {_cell(text)} |" for names, text in options]
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())


if __name__ == "__main__":
    click.echo(reference(), nl=False)
