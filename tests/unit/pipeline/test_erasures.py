from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.erase.remains import remainder_of
from pipeline.verify.erasures import Erasures, hash_of

SALT = b"a" * 16
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY_MS = 86_400_000
NO_LIMIT = str(2**63 - 1)


def test_the_hash_of_a_person_depends_on_the_person_and_on_the_salt() -> None:
    assert len({hash_of("user-1", SALT), hash_of("user-1", b"b" * 16), hash_of("user-2", SALT)}) == 3


def test_an_erasure_covers_the_records_of_that_person_before_its_ends_only() -> None:
    erasures = Erasures(SALT, {hash_of("user-1", SALT): {"user-events": {0: 10}}})
    assert erasures.cover("user-1", "user-events", 0, 9)
    assert not erasures.cover("user-1", "user-events", 0, 10)
    assert not erasures.cover("user-1", "user-events", 1, 0)
    assert not erasures.cover("user-1", "dlq.user-events", 0, 0)
    assert not erasures.cover("user-2", "user-events", 0, 0)
    assert not erasures.cover(None, "user-events", 0, 0)


def config(policy: str, **changes: str) -> dict[str, str]:
    defaults = {"segment.ms": str(DAY_MS), "retention.ms": str(7 * DAY_MS), "max.compaction.lag.ms": NO_LIMIT}
    return {"cleanup.policy": policy, **defaults, **changes}


@pytest.mark.parametrize(
    ("topic", "settings", "days"),
    [
        ("user-events", config("delete"), 8),
        ("users", config("compact", **{"max.compaction.lag.ms": str(2 * DAY_MS)}), 3),
        ("first-events", config("compact,delete", **{"max.compaction.lag.ms": "0"}), 8),
        ("users", config("compact"), None),
        ("user-events", config("delete", **{"retention.ms": "-1"}), None),
    ],
)
def test_how_long_a_topic_may_hold_what_was_erased_follows_from_its_settings(
    topic: str, settings: dict[str, str], days: int | None
) -> None:
    remainder = remainder_of(topic, settings, NOW)
    assert remainder.until == (None if days is None else NOW + timedelta(days=days))
    assert remainder.where == f"topic {topic}"
