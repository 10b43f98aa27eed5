"""A deployed pipeline, and letters of a user of their own for each test."""

from __future__ import annotations

import pytest

from tests.conftest import Stack
from tests.integration.dead_letters.letters import Letters


@pytest.fixture
def letters(deployed: Stack) -> Letters:
    """The letters of a user whom no other test knows."""
    return Letters(deployed)
