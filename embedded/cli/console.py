"""Where the launcher speaks to people."""

from rich.console import Console

console = Console(stderr=True, highlight=False, soft_wrap=True)
