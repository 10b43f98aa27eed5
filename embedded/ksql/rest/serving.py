"""The HTTP server around the application, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette

GRACE_SECONDS = 3.0


async def serve_until(
    application: Starlette, listener: str, stopping: asyncio.Event, end_streams: Callable[[], None]
) -> None:
    """Serve HTTP/1.1 and HTTP/2 (prior knowledge) on ``host:port`` until the event is set.

    ``end_streams`` is called then, so that answers which would never end do.
    """
    config = Config()
    config.bind = [listener]
    config.graceful_timeout = GRACE_SECONDS
    config.accesslog = None
    config.errorlog = None

    async def until_stopping() -> None:
        await stopping.wait()
        end_streams()

    wait: Callable[..., Awaitable[Any]] = until_stopping
    await serve(cast("Any", application), config, shutdown_trigger=wait)
