"""The launcher's command line: one module a command, named like it."""

from embedded.cli.main import main

__all__ = ["main"]
