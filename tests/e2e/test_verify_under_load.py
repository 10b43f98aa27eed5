"""`pipeline verify` while events keep coming: it proves what was there when it began, and waits for nothing else."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import Stack
from tests.e2e.proving import Sender, accounts, exact
from tests.traffic import traffic

NEVER = 600  # seconds: the command is given less, so it must end by itself


@pytest.mark.parametrize("users", [2_000, 5])
def test_a_verification_ends_while_events_keep_coming(deployed: Stack, users: int) -> None:
    before = exact(deployed)
    with traffic(deployed, "--users", str(users), "--duplicates", "0.1", rate=300):
        first = accounts(deployed, timeout_seconds=NEVER)
        second = accounts(deployed, timeout_seconds=NEVER)
    assert (first["ok"], second["ok"]) == (True, True), (first["details"], second["details"])
    assert before["records"] < first["records"] < second["records"]
    after = exact(deployed)
    assert (after["arriving"], after["users_moving"]) == (0, 0)


def test_what_is_wrong_is_found_among_events_that_keep_coming(deployed: Stack) -> None:
    sender = Sender(deployed)
    lost, other = sender.event(), sender.event()
    ((partition, offset), _) = sender.send(lost, other)
    exact(deployed)
    with psycopg.connect(deployed.postgres_dsn, autocommit=True) as connection, traffic(deployed, rate=300):
        row = connection.execute(
            "DELETE FROM user_events WHERE event_id = %s RETURNING user_events::text", (lost["event_id"],)
        ).fetchone()
        assert row is not None
        change = "UPDATE user_stats SET avg_session_seconds = avg_session_seconds + %s WHERE user_id = %s"
        connection.execute(change, (1, sender.user_id))
        found = accounts(deployed, timeout_seconds=NEVER)
        connection.execute("INSERT INTO user_events SELECT (%s::user_events).*", row)
        connection.execute(change, (-1, sender.user_id))
        repaired = accounts(deployed, timeout_seconds=NEVER)
    assert [missing["position"] for missing in found["details"]["missing"]] == [f"user-events-{partition}@{offset}"]
    assert [user["user_id"] for user in found["details"]["users_mismatched"]] == [sender.user_id]
    assert (found["missing"], found["unexpected"], found["altered"], found["users_mismatched"]) == (1, 0, 0, 1)
    assert repaired["ok"], repaired["details"]
    exact(deployed)
