"""Bringing the servers to what is declared: one module a kind, in dependency order."""
