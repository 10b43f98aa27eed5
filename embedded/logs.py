"""How the log lines of our own processes look: for a person, or one JSON object a line."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure_logs(level: str = "info") -> None:
    """Write log lines to standard output, in the format of ``PIPELINE_LOG_FORMAT``: console (default) or json."""
    as_json = os.environ.get("PIPELINE_LOG_FORMAT") == "json"
    ending: list[structlog.typing.Processor] = (
        [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *ending,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
