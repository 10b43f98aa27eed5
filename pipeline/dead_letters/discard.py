"""Giving letters up, with a reason; they stay in the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.clients.postgres import connect
from pipeline.dead_letters.actions import record_action
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.marking import mark
from pipeline.dead_letters.table import read_letters
from pipeline.settings import Settings


def discard(settings: Settings, filters: Filters, why: str, arguments: Mapping[str, Any]) -> int:
    """Discard the letters that pass and are `pending` or `dead`; return how many there were."""
    with connect(settings.postgres_dsn) as connection:
        numbers = [letter.id for letter in read_letters(connection, filters)]
        if not numbers:
            return 0
        action_id = record_action(connection, "discard", arguments, numbers)
        return mark(
            connection, "discarded", dict.fromkeys(numbers, why), action_id=action_id, among=("pending", "dead")
        )
