"""The launcher with real servers: what survives, what is started again, what ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from embedded.ports import choose_ports
from embedded.servers.catalogue import PORT_NAMES
from embedded.state import StateDir
from pipeline.waiting import wait_until
from tests.conftest import ROOT, read_environment


class OwnStack:
    """A stack of its own, beside the session's: PostgreSQL and the registry, which boot fast."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "embedded", "--state-dir", str(self.state_dir), *arguments],
            cwd=ROOT,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def started_up(self, *servers: str) -> subprocess.Popen[str]:
        """Return an `up` that has begun."""
        return subprocess.Popen(
            [sys.executable, "-m", "embedded", "--state-dir", str(self.state_dir), "up", "--only", ",".join(servers)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def supervised(self, *servers: str) -> Iterator[subprocess.Popen[str]]:
        """Run a supervisor by itself, without `up`."""
        with subprocess.Popen(
            [sys.executable, "-m", "embedded", "--state-dir", str(self.state_dir), "supervise", *servers],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as supervisor:
            try:
                yield supervisor
            finally:
                supervisor.kill()

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.run("up", "--only", "registry")

    def server(self, name: str) -> dict[str, Any]:
        servers = json.loads(self.run("status", "--json").stdout)["servers"]
        return next(dict(server) for server in servers if server["name"] == name)

    def is_(self, name: str, state: str) -> bool:
        known = json.loads(self.run("status", "--json").stdout)["servers"]
        return any(server["name"] == name and server["state"] == state for server in known)

    def prepare(self, **ports: object) -> None:
        """Create the state directory, with these ports chosen."""
        directory = StateDir(self.state_dir)
        directory.create()
        directory.write_json("ports.json", {**choose_ports(PORT_NAMES, {}), **ports})

    def state(self) -> dict[str, Any]:
        return dict(json.loads((self.state_dir / "state.json").read_text(encoding="utf-8")))

    def supervisor(self) -> int:
        return int(self.state()["supervisor"]["pid"])

    def dsn(self) -> str:
        return read_environment(self.state_dir / "environment")["PIPELINE_POSTGRES_DSN"]


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[OwnStack]:
    stack = OwnStack(tmp_path / "own")
    try:
        yield stack
    finally:
        assert stack.run("down").returncode == 0


def test_data_and_addresses_survive_down_and_up_and_a_killed_server_is_started_again(own_stack: OwnStack) -> None:
    first = own_stack.up()
    assert first.returncode == 0, first.stderr
    dsn = own_stack.dsn()
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    psutil.Process(own_stack.server("registry")["pid"]).kill()
    wait_until(
        lambda: own_stack.server("registry")["restarts"] == 1 and own_stack.server("registry")["state"] == "running",
        awaiting="the registry to run again",
        timeout_seconds=90,
    )

    pids = [own_stack.server(name)["pid"] for name in ("postgres", "registry")]
    assert own_stack.run("down").returncode == 0
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not (own_stack.state_dir / "environment").exists()

    again = own_stack.up()
    assert again.returncode == 0, again.stderr
    assert "download" not in again.stderr
    assert own_stack.dsn() == dsn
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert own_stack.up().returncode == 0

    assert own_stack.run("down", "--delete-data").returncode == 0
    assert own_stack.run("status", "--json").stdout.strip() == '{"servers": []}'


def test_a_server_that_dies_at_boot_is_named_with_the_end_of_its_log(own_stack: OwnStack) -> None:
    own_stack.prepare()
    data = own_stack.state_dir / "postgres" / "data"
    data.mkdir(parents=True, mode=0o700)
    (data / "PG_VERSION").write_text("9.6\n", encoding="utf-8")
    outcome = own_stack.run("up", "--only", "postgres")
    assert outcome.returncode == 1
    assert "error: postgres failed: ended with exit code" in outcome.stderr
    assert "last lines of" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_an_initialisation_that_was_killed_is_begun_anew(own_stack: OwnStack) -> None:
    with own_stack.started_up("postgres") as first:
        amid_initdb = Retrying(
            stop=stop_after_delay(60), wait=wait_fixed(0.01), retry=retry_if_result(lambda is_: not is_)
        )
        amid_initdb(lambda: any((own_stack.state_dir / "postgres").rglob("PG_VERSION")))
        os.killpg(own_stack.supervisor(), signal.SIGKILL)
        first.communicate(timeout=60)
    again = own_stack.run("up", "--only", "postgres")
    assert again.returncode == 0, again.stderr


def test_a_supervisor_that_cannot_write_the_state_stops_its_servers_and_says_why(own_stack: OwnStack) -> None:
    state_file = own_stack.state_dir / "state.json"
    own_stack.prepare()
    with own_stack.supervised("postgres") as supervisor:
        wait_until(state_file.exists, awaiting="its first state", timeout_seconds=60)
        state_file.unlink()
        state_file.mkdir()
        said, _ = supervisor.communicate(timeout=60)
        state_file.rmdir()
    assert supervisor.returncode == 1
    assert said.splitlines()[-1] == f"error: cannot write {state_file}: Is a directory"


def test_a_server_that_fails_in_a_way_nobody_foresaw_is_named(own_stack: OwnStack) -> None:
    own_stack.prepare(postgres=str(choose_ports(["postgres"], {})["postgres"]))
    with own_stack.supervised("postgres"):
        wait_until(lambda: own_stack.is_("postgres", "failed"), awaiting="the failure", timeout_seconds=60)
        assert "TypeError" in own_stack.server("postgres")["reason"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_up_that_is_interrupted_leaves_nothing_behind(own_stack: OwnStack, number: signal.Signals) -> None:
    with own_stack.started_up("registry") as up:
        wait_until(lambda: own_stack.is_("registry", "starting"), awaiting="a boot", timeout_seconds=60)
        supervisor = psutil.Process(own_stack.supervisor())
        up.send_signal(number)
        _, said = up.communicate(timeout=60)
    assert ("stopping what was started" in said) == (number != signal.SIGKILL)
    supervisor.wait(60 if number == signal.SIGKILL else 0)
    assert own_stack.run("down").stderr == "nothing was running\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_waits_until_what_it_interrupts_is_stopped(
    own_stack: OwnStack, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "pipeline", "--state-dir", str(own_stack.state_dir), "up"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as up:
        wait_until((own_stack.state_dir / "state.json").exists, awaiting="the supervisor", timeout_seconds=60)
        supervisor = psutil.Process(own_stack.supervisor())
        up.send_signal(number)
        _, said = up.communicate(timeout=60)
    assert "stopping what was started" in said
    assert not supervisor.is_running()


def test_up_starts_a_server_again_that_has_failed_and_leaves_the_others_running(own_stack: OwnStack) -> None:
    own_stack.prepare()
    port = json.loads((own_stack.state_dir / "ports.json").read_text(encoding="utf-8"))["registry"]
    with own_stack.supervised("postgres", "registry"):
        with socket.create_server(("127.0.0.1", port)):
            wait_until(lambda: own_stack.is_("registry", "failed"), awaiting="the failure", timeout_seconds=120)
            postgres = own_stack.server("postgres")["pid"]
            in_vain = own_stack.up()
        assert in_vain.returncode == 1
        assert "error: registry failed: ended with exit code" in in_vain.stderr
        again = own_stack.up()
        assert again.returncode == 0, again.stderr
        assert own_stack.server("postgres")["pid"] == postgres


def test_a_state_directory_may_have_any_name_in_any_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    stack = OwnStack(tmp_path / "état\\λ")
    try:
        outcome = stack.run("up", "--only", "kafka")
        assert outcome.returncode == 0, outcome.stderr
        assert (stack.state_dir / "kafka" / "data" / "meta.properties").exists()
    finally:
        stack.run("down")


def test_an_unknown_server_is_a_usage_error(own_stack: OwnStack) -> None:
    outcome = own_stack.run("up", "--only", "oracle")
    assert outcome.returncode == 2
    assert "no such server: oracle; there are kafka, registry, connect, postgres, ksql" in outcome.stderr


def test_no_password_is_in_any_process_list(own_stack: OwnStack) -> None:
    assert own_stack.run("up", "--only", "registry").returncode == 0
    password = (own_stack.state_dir / "postgres-password").read_text(encoding="utf-8")
    for name in ("postgres", "registry"):
        process = psutil.Process(own_stack.server(name)["pid"])
        assert not any(password in argument for argument in process.cmdline())


def test_postgres_shuts_down_whoever_is_connected(own_stack: OwnStack) -> None:
    assert own_stack.run("up", "--only", "postgres").returncode == 0
    with psycopg.connect(own_stack.dsn()) as _stays:
        assert own_stack.run("down").returncode == 0
        log = (own_stack.state_dir / "logs" / "postgres.log").read_text(encoding="utf-8")
    assert "database system is shut down" in log
