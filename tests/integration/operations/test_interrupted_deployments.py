"""A connector that is stopped to be changed runs again, however the command ends; one that is paused stays so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from access.http import Endpoint
from pipeline.clients.connect import Connect
from pipeline.clients.connector_states import await_state, stopped
from pipeline.errors import InterruptionError
from pipeline.interruption import terminable
from tests.accounts import killed
from tests.conftest import ROOT, Stack

WAIT_SECONDS = 120.0


@pytest.fixture
def connect(deployed: Stack) -> Iterator[Connect]:
    yield Connect(Endpoint(deployed.connect_url))
    outcome = deployed.pipeline("deploy", "--only", "connector")
    assert outcome.returncode == 0, outcome.stderr


@pytest.fixture
def changed(project_dir: Path) -> Path:
    """The declarations with another setting in the connector of the profiles."""
    path = project_dir / "connectors" / "users.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**config, "errors.retry.delay.max.ms": "4000"}), encoding="utf-8")
    return project_dir


def run(stack: Stack, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return stack.pipeline("--project", str(project), *arguments)


@contextmanager
def deployment_that_waits(stack: Stack, project: Path, connect: Connect) -> Iterator[subprocess.Popen[str]]:
    """Let a deployment wait, where it has stopped the connector and changed it, for what it writes down of that."""
    with psycopg.connect(stack.postgres_dsn) as connection:
        connection.execute("LOCK TABLE deployment.objects IN EXCLUSIVE MODE")
        deployment = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "--project", str(project), "deploy", "--only", "connector"],
            env=stack.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            await_state(connect, "users", "STOPPED", timeout_seconds=WAIT_SECONDS)
            yield deployment
        finally:
            deployment.kill()
            deployment.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_deployment_resumes_what_it_stopped_and_says_so(
    deployed: Stack, connect: Connect, changed: Path, number: signal.Signals
) -> None:
    with deployment_that_waits(deployed, changed, connect) as deployment:
        deployment.send_signal(number)
        _, complaint = deployment.communicate(timeout=WAIT_SECONDS)
    assert deployment.returncode == 1
    assert "interrupted; resumed what was stopped for it: users" in " ".join(complaint.split())
    await_state(connect, "users", "RUNNING", timeout_seconds=WAIT_SECONDS)


def test_what_a_killed_deployment_left_stopped_is_seen_and_put_right_by_the_next(
    deployed: Stack, connect: Connect, changed: Path
) -> None:
    with deployment_that_waits(deployed, changed, connect) as deployment:
        deployment.kill()
        deployment.communicate(timeout=WAIT_SECONDS)
    status = deployed.pipeline("status", "--json")
    assert status.returncode == 1
    assert any(
        "users is STOPPED: a deployment or restart" in problem for problem in json.loads(status.stdout)["problems"]
    )
    plan = run(deployed, changed, "plan", "--only", "connector", "--fail-on-changes")
    assert plan.returncode == 3
    assert "state: STOPPED → RUNNING" in plan.stdout
    outcome = run(deployed, changed, "deploy", "--only", "connector")
    assert outcome.returncode == 0, outcome.stderr
    assert "users updated (state: STOPPED → RUNNING" in outcome.stdout
    await_state(connect, "users", "RUNNING", timeout_seconds=WAIT_SECONDS)


def test_a_connector_that_is_paused_is_changed_restarted_and_left_paused(
    deployed: Stack, connect: Connect, changed: Path
) -> None:
    assert deployed.pipeline("connectors", "pause", "users").returncode == 0
    try:
        assert "is PAUSED, and stays so" in deployed.pipeline("plan", "--only", "connector").stdout
        outcome = run(deployed, changed, "deploy", "--only", "connector")
        assert outcome.returncode == 0, outcome.stderr
        config = connect.config("users")
        assert config is not None
        assert config["errors.retry.delay.max.ms"] == "4000"
        assert deployed.pipeline("connectors", "restart", "users").stdout == "still paused: users\n"
        await_state(connect, "users", "PAUSED", timeout_seconds=WAIT_SECONDS)
    finally:
        assert deployed.pipeline("connectors", "resume", "users").returncode == 0


def test_a_connector_is_resumed_though_connect_dies_while_it_is_stopped(deployed: Stack, connect: Connect) -> None:
    with stopped(connect, ["users"], timeout_seconds=WAIT_SECONDS):
        killed(deployed, "connect")
    await_state(connect, "users", "RUNNING", timeout_seconds=WAIT_SECONDS)


def test_a_signal_while_connectors_are_stopped_is_told_after_they_were_resumed(connect: Connect) -> None:
    names = ["users", "user-stats"]
    with (
        pytest.raises(InterruptionError, match="resumed what was stopped for it: users, user-stats"),
        terminable(),
        stopped(connect, names, timeout_seconds=WAIT_SECONDS),
    ):
        os.kill(os.getpid(), signal.SIGTERM)
    for name in names:
        await_state(connect, name, "RUNNING", timeout_seconds=WAIT_SECONDS)
