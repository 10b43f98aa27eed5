"""Starting and stopping a whole stack: what `up` and `down` do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from embedded.errors import EmbeddedError, ServerFailedError
from embedded.filelock import locked
from embedded.installation import Installation, install
from embedded.jars import default_cache_dir
from embedded.ports import choose_ports, claimed
from embedded.processes import Identity, find, identify, terminate
from embedded.servers.catalogue import PORT_NAMES, with_needed
from embedded.servers.connect import Connect
from embedded.servers.interface import DATABASE, Stack
from embedded.servers.kafka import Kafka
from embedded.servers.ksql import Ksql, package_path
from embedded.servers.postgres import find_runner, shared_directory
from embedded.servers.registry import Registry
from embedded.state import SERVER_NAMES, ServerState, StackState, StateDir
from embedded.supervisor import Supervisor, log_tail

DEFAULT_SERVERS = ("kafka", "registry", "connect", "postgres", "ksql")

_POLL_SECONDS = 0.1
_STOP_SECONDS = 120.0

Show = Callable[[ServerState], None]
"""Called with a server whenever its state has changed."""


def start(state_dir: StateDir, names: Sequence[str], *, fast_boot: bool, show: Show) -> None:
    """Start the named servers (``DEFAULT_SERVERS`` if none is) and those they need; return when all of them serve.

    What runs already stays, whatever happens, and what has failed is started again. Raises EmbeddedError; then, and
    where it is interrupted, nothing of a stack that did not come up is left running.
    """
    state_dir.create()
    with locked(state_dir.lock_file, "another `up` or `down` of this stack"):
        state = state_dir.read()
        running = find(state.supervisor) is not None
        if not running:
            _end_servers(state)
        with _chosen_ports(state_dir, running=running):
            wanted = with_needed(_stack(state_dir), names or DEFAULT_SERVERS)
            if running:
                _check_running(state, wanted)
                _await_ready(state_dir, _revived(state, wanted), wanted, show)
                _write_environment(state_dir)
            else:
                install(set(wanted))
                with _spawned(state_dir, wanted, fast_boot=fast_boot) as supervisor:
                    _await_ready(state_dir, StackState(supervisor, state.generation + 1), wanted, show)
                    _write_environment(state_dir)


def supervise(state_dir: StateDir, names: Iterable[str], *, fast_boot: bool) -> None:
    """Be the supervisor of a stack until SIGTERM."""
    wanted = set(names)
    stack = replace(_stack(state_dir), installation=install(wanted), fast_boot=fast_boot)
    Supervisor(stack, wanted, identify(os.getpid()), state_dir.read().generation + 1).run()


def stop(state_dir: StateDir, *, delete_data: bool) -> bool:
    """Stop the stack, also one whose supervisor was killed. Return whether anything ran."""
    if not state_dir.path.exists():
        return False
    state_dir.check_ours()
    with locked(state_dir.lock_file, "another `up` or `down` of this stack"):
        ran = _stop(state_dir, state_dir.read().supervisor)
        if delete_data:
            _delete(state_dir)
    return ran


def environment(state_dir: StateDir) -> dict[str, str]:
    """Return the addresses of the stack as ``PIPELINE_*`` settings. Raises EmbeddedError if it was never started."""
    if not state_dir.read_json("ports.json"):
        raise EmbeddedError(f"no stack was started in {state_dir.path}; run: pipeline up")
    stack = _stack(state_dir)
    return {
        "PIPELINE_KAFKA_BOOTSTRAP_SERVERS": stack.address("kafka"),
        "PIPELINE_SCHEMA_REGISTRY_URL": f"{stack.url('registry')}/apis/ccompat/v7",
        "PIPELINE_CONNECT_URL": stack.url("connect"),
        "PIPELINE_KSQLDB_URL": stack.url("ksql"),
        "PIPELINE_POSTGRES_DSN": stack.dsn(DATABASE),
        "PIPELINE_KAFKA_METRICS_URL": Kafka(stack).metrics_url(),
        "PIPELINE_SCHEMA_REGISTRY_METRICS_URL": Registry(stack).metrics_url(),
        "PIPELINE_CONNECT_METRICS_URL": Connect(stack).metrics_url(),
        "PIPELINE_KSQLDB_METRICS_URL": Ksql(stack).metrics_url(),
        "PIPELINE_STATE_DIR": str(state_dir.path),
    }


def _write_environment(state_dir: StateDir) -> None:
    lines = (f"{name}={value}\n" for name, value in environment(state_dir).items())
    state_dir.write_text(state_dir.environment_file.name, "".join(lines))


@contextmanager
def _chosen_ports(state_dir: StateDir, *, running: bool) -> Iterator[None]:
    """Choose the stack's ports, which no other stack chooses until this one serves there."""
    kept = state_dir.read_json("ports.json")
    with ExitStack() as claims:
        with locked(default_cache_dir() / "ports.lock", "another stack to choose its ports"):
            ports = choose_ports(PORT_NAMES, kept, in_use_by_us=PORT_NAMES if running else ())
            if not running:
                claims.enter_context(claimed(ports.values()))
        if ports != kept:
            state_dir.write_json("ports.json", ports)
        yield


def _stack(state_dir: StateDir) -> Stack:
    """Return a stack that knows its addresses, with nothing installed yet."""
    return Stack(state_dir, state_dir.read_json("ports.json"), state_dir.password(), Installation(java=None))


def _check_running(state: StackState, wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in state.servers]
    if missing:
        running = ", ".join(state.servers)
        raise EmbeddedError(f"this stack runs with {running} only; to add {', '.join(missing)}: pipeline down, then up")


def _revived(state: StackState, wanted: Sequence[str]) -> StackState:
    """Have the supervisor start again what has failed of these servers; return the state to wait for."""
    supervisor = find(state.supervisor)
    if supervisor is None or all(state.servers[name].state != "failed" for name in wanted):
        return state
    supervisor.send_signal(signal.SIGHUP)
    return replace(state, generation=state.generation + 1)


@contextmanager
def _spawned(state_dir: StateDir, names: Sequence[str], *, fast_boot: bool) -> Iterator[Identity]:
    """Start a supervisor, which stays if the block ends well; if we are killed meanwhile, it stops by itself."""
    for name in ("supervisor", *names):
        state_dir.log_file(name).write_bytes(b"")
    arguments = ["supervise", "--fast-boot" if fast_boot else "--throughput", *names]
    with state_dir.log_file("supervisor").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "embedded", "--state-dir", str(state_dir.path), *arguments],
            env=dict(os.environ) | {"PYTHONPATH": package_path()},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    supervisor = identify(process.pid)
    try:
        yield supervisor
    except BaseException:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # one Ctrl-C may come as several signals
        sys.stderr.write("stopping what was started\n")
        _stop(state_dir, supervisor)
        raise
    assert process.stdin is not None  # noqa: S101 - tells mypy what PIPE ensures
    with process.stdin as word:
        word.write(b"\n")


def _await_ready(state_dir: StateDir, awaited: StackState, names: Sequence[str], show: Show) -> None:
    """Poll the state file until every server runs. Raises ServerFailedError with the log of the first that failed."""
    shown: dict[str, str] = {}
    while True:
        alive = find(awaited.supervisor) is not None
        state = state_dir.read()
        if state.generation >= awaited.generation:
            for server in state.servers.values():
                if shown.get(server.name) != server.state:
                    shown[server.name] = server.state
                    show(server)
                if server.state == "failed" and server.name in names:
                    raise ServerFailedError(f"{server.name} failed: {server.reason}")
            if state.servers and all(state.servers[name].state == "running" for name in names):
                return
        if not alive:
            log = state_dir.log_file("supervisor")
            tail = log_tail(state_dir, "supervisor") or f"{log} does not say why: is the disk full?"
            raise ServerFailedError(f"the supervisor died\n{tail}")
        time.sleep(_POLL_SECONDS)


def _stop(state_dir: StateDir, supervisor: Identity | None) -> bool:
    state_dir.environment_file.unlink(missing_ok=True)
    running = find(supervisor) is not None
    if supervisor is not None:
        terminate([supervisor], _STOP_SECONDS)
    return _end_servers(state_dir.read()) or running


def _end_servers(state: StackState) -> bool:
    """End servers that outlived their supervisor. Return whether there were any."""
    left = [server.process for server in state.servers.values() if server.process and find(server.process)]
    terminate(left, _STOP_SECONDS)
    return bool(left)


def _delete(state_dir: StateDir) -> None:
    """Delete what a stack wrote, and nothing else that a user may keep in that directory."""
    for name in (*SERVER_NAMES, "logs"):
        shutil.rmtree(state_dir.path / name, ignore_errors=True)
    for name in ("state.json", "ports.json", "postgres-password"):
        (state_dir.path / name).unlink(missing_ok=True)
    if find_runner().user is not None:
        shutil.rmtree(shared_directory(state_dir.server_dir("postgres") / "data"), ignore_errors=True)
