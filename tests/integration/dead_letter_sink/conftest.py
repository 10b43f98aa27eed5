"""The sink of these tests, once with each delegate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Stack
from tests.integration.dead_letter_sink.sink import DELEGATES, Sink


@pytest.fixture(params=sorted(DELEGATES))
def sink(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Sink]:
    sink = Sink(stack, DELEGATES[request.param])
    sink.create()
    yield sink
    sink.delete()
