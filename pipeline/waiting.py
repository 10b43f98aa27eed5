"""Waiting: polling with a deadline and a message that says what was awaited."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from pipeline.errors import NotReadyError

T = TypeVar("T")


def wait_until(probe: Callable[[], T | None], *, awaiting: str, timeout_seconds: float) -> T:
    """Call ``probe`` until it returns something true, and return that.

    Raises NotReadyError naming what was awaited after ``timeout_seconds``; what the probe raises passes through.
    """
    attempts = Retrying(
        stop=stop_after_delay(timeout_seconds),
        wait=wait_exponential(multiplier=0.05, max=1.0),
        retry=retry_if_result(lambda result: not result),
    )
    try:
        result = attempts(probe)
    except RetryError as error:
        message = f"waited {timeout_seconds:g} s for {awaiting}, in vain"
        raise NotReadyError(message) from error
    assert result is not None  # noqa: S101 - tells mypy what retry_if_result ensures
    return result
