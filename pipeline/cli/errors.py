"""The one place where errors become a line on standard error and an exit code."""

from __future__ import annotations

import traceback
from typing import Any

import click
from rich.markup import escape

from pipeline.errors import PipelineError
from pipeline.interruption import terminable
from pipeline.report.console import err


class ErrorBoundary(click.Group):
    """A group whose commands may raise PipelineError; bugs propagate, and --debug shows every traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; print a PipelineError and exit with its code. SIGTERM ends it as Ctrl-C does."""
        try:
            with terminable():
                return super().invoke(ctx)
        except PipelineError as error:
            if ctx.params.get("debug"):
                err.print(traceback.format_exc(), markup=False, highlight=False, soft_wrap=True)
            err.print(f"[bold red]error:[/] {escape(str(error))}")
            ctx.exit(error.exit_code)
