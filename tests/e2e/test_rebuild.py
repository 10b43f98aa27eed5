"""A statement that ksqlDB cannot replace is built anew while events arrive, and nobody reads an empty table."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from access.http import Endpoint
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb
from pipeline.waiting import wait_until
from tests.conftest import ROOT, Stack, running_stack
from tests.e2e.proving import Sender, await_letters, count, exact

EVENTS = 3000
WRONG = """
SELECT count(*) FROM user_stats
WHERE engagement_score <> least(100, 0.5 * total_events + {points} * total_purchases)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run a stack of these tests' own: a rebuild waits until all that other tests leave behind is read."""
    with running_stack(tmp_path_factory.mktemp("rebuilt")) as started:
        yield started


def changed(project_dir: Path, file: str, *changes: tuple[str, str]) -> Path:
    """Replace some text of one ksql file, and return the folder of the declarations."""
    path = project_dir / "ksql" / file
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return project_dir


def beside(stack: Stack) -> list[str]:
    """Return the names of what a rebuild has built beside and not yet cleared up."""
    sources = KsqlDb(Endpoint(stack.ksqldb_url)).sources()
    topics = Kafka({"bootstrap.servers": stack.kafka_bootstrap_servers}).partitions()
    return [name for name in (*sources, *topics) if name.endswith(("_NEXT", ".next"))]


@contextmanager
def watching(stack: Stack) -> Iterator[list[tuple[int, int]]]:
    """Read how many users and events user_stats tells of, again and again, as a reader of the table would."""
    seen: list[tuple[int, int]] = []
    ended = threading.Event()

    def read() -> None:
        with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
            while not ended.wait(0.02):
                row = connection.execute(
                    "SELECT count(*), coalesce(sum(total_events), 0) FROM user_stats WHERE user_id <> 'erased'"
                ).fetchone()
                assert row is not None
                seen.append((int(row[0]), int(row[1])))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield seen
    finally:
        ended.set()
        reader.join(timeout=30)


def test_a_rebuild_leaves_the_table_full_and_exact_and_rollback_undoes_it(stack: Stack, project_dir: Path) -> None:
    # Six points a purchase instead of five, and a HAVING that ksqlDB cannot add in place.
    having = ("GROUP BY user_id\n", "GROUP BY user_id\nHAVING COUNT(*) > 0\n")
    changed_project = changed(project_dir, "04_user_stats.sql", ("+ 5.0E0", "+ 6.0E0"), having)
    assert stack.pipeline("deploy").returncode == 0
    assert stack.pipeline("produce", "--events", str(EVENTS), "--duplicates", "0.05").returncode == 0
    verified = stack.pipeline("verify", "--timeout", "150")
    assert verified.returncode == 0, verified.stdout

    project = ("--project", str(changed_project))
    refused = stack.pipeline(*project, "deploy")
    assert refused.returncode == 1
    assert "nothing was changed: ksql/04_user_stats.sql: " in refused.stderr
    assert "Query is not upgradeable" in refused.stderr
    assert "With --rebuild it is built anew." in refused.stderr

    with watching(stack) as seen:
        producing = threading.Thread(target=stack.pipeline, args=("produce", "--events", str(EVENTS)))
        producing.start()
        rebuilt = stack.pipeline(*project, "deploy", "--rebuild", timeout_seconds=300)
        producing.join(timeout=180)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "USER_STATS rebuilt (rebuilds user_stats from offset 0, about " in rebuilt.stdout
    assert all(after[0] >= before[0] and after[1] >= before[1] for before, after in pairwise(seen))
    nothing_left = stack.pipeline(*project, "plan", "--json")
    assert json.loads(nothing_left.stdout)["has_changes"] is False
    assert beside(stack) == []

    # `verify` knows the five points of this repository, so it can only tell after the rollback.
    assert count(stack, WRONG.format(points=6)) == 0
    back = stack.pipeline("rollback", "--rebuild", timeout_seconds=300)
    assert back.returncode == 0, back.stderr
    assert "USER_STATS rebuilt" in back.stdout
    assert count(stack, WRONG.format(points=5)) == 0
    verified = stack.pipeline("verify", "--timeout", "150")
    assert verified.returncode == 0, verified.stdout
    listed = stack.pipeline("rollback", "--list")
    assert listed.stdout.splitlines()[0].split() == ["id", "began", "by", "files", "outcome"]


def test_a_rebuild_of_all_that_was_killed_is_begun_anew(stack: Stack, project_dir: Path) -> None:
    # The window of the deduplication, which all else reads.
    changed_project = changed(project_dir, "02_first_events.sql", ("GRACE PERIOD 119 DAYS", "GRACE PERIOD 118 DAYS"))
    assert stack.pipeline("deploy").returncode == 0
    assert stack.pipeline("produce", "--events", str(EVENTS)).returncode == 0
    assert stack.pipeline("produce", "--events", "5", "--user", "erased").returncode == 0
    assert stack.pipeline("erase", "erased", "--yes").returncode == 0
    # Ahead of the clock now, no more when it is read for the last time.
    early, in_time = Sender(stack), time.time() + 20
    await_letters(stack, early.send(early.event(occurred_at=int((in_time + 3_600) * 1000))))
    assert exact(stack)["refused_by_ksqldb"] == 1
    command = [sys.executable, "-m", "pipeline", "--project", str(changed_project), "deploy", "--rebuild"]
    with subprocess.Popen(command, env=stack.environment, cwd=ROOT, stdout=subprocess.DEVNULL) as killed:
        wait_until(lambda: beside(stack), awaiting="the version beside", timeout_seconds=60)
        killed.kill()

    again = stack.pipeline("--project", str(changed_project), "deploy", "--rebuild", "--prune", timeout_seconds=300)
    assert again.returncode == 0, again.stderr
    assert "statistics of erased persons that were counted anew, removed: 1\ntombstone user-stats-" in again.stdout
    assert count(stack, "SELECT count(*) FROM user_stats WHERE user_id = 'erased'") == 0
    for name in ("FIRST_EVENTS", "EVENTS", "USER_STATS"):
        assert f" {name} rebuilt" in again.stdout
    assert beside(stack) == []
    assert stack.pipeline("--project", str(changed_project), "plan", "--fail-on-changes").returncode == 0
    time.sleep(max(0.0, in_time + 1 - time.time()))
    back = stack.pipeline("deploy", "--rebuild", timeout_seconds=300)
    assert back.returncode == 0, back.stderr
    assert exact(stack)["refused_by_ksqldb"] == 0
    assert count(stack, f"SELECT total_events FROM user_stats WHERE user_id = '{early.user_id}'") == 1


def test_a_rebuild_is_refused_while_a_sink_it_needs_is_paused_and_changes_nothing(
    stack: Stack, project_dir: Path
) -> None:
    project = ("--project", str(changed(project_dir, "04_user_stats.sql", ("+ 5.0E0", "+ 6.0E0"))))
    assert stack.pipeline("deploy").returncode == 0
    assert stack.pipeline("connectors", "pause", "user-stats").returncode == 0
    try:
        refused = stack.pipeline(*project, "deploy", "--rebuild", timeout_seconds=300)
        assert refused.returncode == 1
        assert (
            "connector user-stats is PAUSED, and a rebuild needs it: `pipeline connectors resume user-stats` first"
            in refused.stderr
        )
        assert beside(stack) == []
        assert stack.pipeline("plan", "--fail-on-changes").returncode == 0
    finally:
        assert stack.pipeline("connectors", "resume", "user-stats").returncode == 0


def test_a_rebuild_ends_when_a_sink_fails_in_the_middle_and_the_next_one_completes_it(
    stack: Stack, project_dir: Path
) -> None:
    having = ("GROUP BY user_id\n", "GROUP BY user_id\nHAVING COUNT(*) > 0\n")
    project = ("--project", str(changed(project_dir, "04_user_stats.sql", having)))
    assert stack.pipeline("deploy").returncode == 0
    assert stack.pipeline("produce", "--events", str(EVENTS)).returncode == 0
    refusal = "RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'not now'"
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
        connection.execute(
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refusal}; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON user_stats EXECUTE FUNCTION refuse()"
        )
        try:
            stopped = stack.pipeline(*project, "deploy", "--rebuild", timeout_seconds=300)
        finally:
            connection.execute("DROP TRIGGER refuse ON user_stats; DROP FUNCTION refuse")
    assert stopped.returncode == 1
    assert "connector user-stats FAILED" in stopped.stderr
    assert "not now" in stopped.stderr

    again = stack.pipeline(*project, "deploy", "--rebuild", "--prune", timeout_seconds=300)
    assert again.returncode == 0, again.stderr
    assert beside(stack) == []
    back = stack.pipeline("deploy", "--rebuild", timeout_seconds=300)
    assert back.returncode == 0, back.stderr
    verified = stack.pipeline("verify", "--timeout", "150")
    assert verified.returncode == 0, verified.stdout
