"""The command line: one module a command, named like it. A command parses, makes one call and prints."""

from pipeline.cli.main import main

__all__ = ["main"]
