"""How log lines look: for a person, or one JSON object a line."""

from __future__ import annotations

import os
import sys

import structlog

from pipeline.cli.log_format import VARIABLE


def configure_logs() -> None:
    """Write log lines to standard error, in the format that was chosen."""
    ending: list[structlog.typing.Processor] = (
        [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
        if os.environ.get(VARIABLE) == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *ending,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
