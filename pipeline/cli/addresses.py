"""Addresses as options."""

from __future__ import annotations

from typing import Any

import click

_LAST_PORT = 65_535
_DIGITS = len(str(_LAST_PORT))


class HostPort(click.ParamType[tuple[str, int]]):
    """Where to listen: HOST:PORT."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Return host and port; a usage error where the text is not that."""
        host, _, port = str(value).rpartition(":")
        if not host or not port.isdecimal() or len(port) > _DIGITS or int(port) > _LAST_PORT:
            self.fail(f"{value!r} is not HOST:PORT, such as 127.0.0.1:9808", param, ctx)
        return host.removeprefix("[").removesuffix("]"), int(port)


def written(address: tuple[str, int]) -> str:
    """Return an address as `HostPort` reads it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
