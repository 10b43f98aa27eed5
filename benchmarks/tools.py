"""What the command line costs: a deployment that has nothing to do, and the proof, by how much there is to prove."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import psycopg

from benchmarks.results import Cell, Section
from benchmarks.sizes import Sizes
from benchmarks.stack import PROJECT, Running, put
from benchmarks.whole import Side

WAIT_SECONDS = 900.0
COMMANDS = (("plan",), ("deploy",), ("verify", "--json"), ("verify", "--json"))


def measure_tools(running: Running, sizes: Sizes) -> Section:
    """Return the seconds of each command, first with the events that are there, then with more and more."""
    put(running.settings, ("topic", "schema", "table", "ksql", "connector"))
    with psycopg.connect(running.settings.postgres_dsn.get_secret_value()) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM user_events").fetchone() or (0,)
    side = Side(running.settings, "user-events", running.settings.postgres_dsn.get_secret_value(), rows)
    table: list[list[Cell]] = [_measured(running, rows, rows)] if rows else []
    for wanted in sizes.verified_rows:
        if wanted > side.events:
            new = wanted - side.events
            side.produce(new)
            side.await_both_tables()
            table.append(_measured(running, side.events, new))
    return Section(
        key="tools",
        title="The command line: seconds by rows in user_events",
        columns=("rows", "plan", "deploy, nothing to do", "verify", "verify again", "µs of verify a new row"),
        rows=table,
        note="Whole processes, start of Python included. The first verification reads what is new since the row above.",
    )


def _measured(running: Running, rows: int, new: int) -> list[Cell]:
    seconds = [_seconds(running, *command) for command in COMMANDS]
    return [f"{rows:,}", *seconds, seconds[2] / new * 1e6]


def _seconds(running: Running, *arguments: str) -> float:
    environment = {"PIPELINE_STATE_DIR": str(running.directory), "PIPELINE_PROJECT_DIR": str(PROJECT)}
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        env={**os.environ, **environment},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    seconds = time.monotonic() - begun
    if done.returncode != 0:
        raise RuntimeError(f"pipeline {' '.join(arguments)} ended with {done.returncode}: {done.stderr or done.stdout}")
    if arguments[0] == "verify" and not json.loads(done.stdout)["ok"]:
        raise RuntimeError(f"not exact: {done.stdout}")
    return seconds
