"""The process that starts a stack's servers, watches them, starts them again when they die, and stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence

import structlog

from embedded.errors import EmbeddedError
from embedded.processes import Identity, identify, terminate
from embedded.restarts import WITHIN_SECONDS, RestartPolicy
from embedded.servers.catalogue import all_servers
from embedded.servers.interface import Server, Stack, base_environment
from embedded.state import ServerState, StackState, StateDir

log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.1
_BOOT_SECONDS = 180.0
_LOG_LINES = 25


class Supervisor:
    """The servers of one stack. Every change of their state is in the state file at once."""

    def __init__(self, stack: Stack, names: Iterable[str], identity: Identity, generation: int) -> None:
        chosen = set(names)
        self._servers = [server for server in all_servers(stack) if server.name in chosen]
        self._state_dir = stack.state_dir
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._unwritten: EmbeddedError | OSError | None = None
        self._ready = {server.name: threading.Event() for server in self._servers}
        states = {
            server.name: ServerState(server.name, server.address(), metrics_url=server.metrics_url())
            for server in self._servers
        }
        self._state = StackState(identity, generation, states)

    def run(self) -> None:
        """Start the servers and keep them running until SIGTERM; then stop them, those that others need last.

        At SIGHUP start again those that have failed. Where their state cannot be written, as on a full disk, they are
        stopped, too, and that error is raised.
        """
        received: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: received.append(number))
        self._state_dir.write(self._state)
        threading.Thread(target=self._mind_starter, daemon=True).start()
        threads = self._begin(self._servers)
        while not self._stopping.is_set():
            if signal.SIGHUP in received:
                received.remove(signal.SIGHUP)
                threads += self._revive()
            elif received:
                self._stopping.set()  # by no handler: it may interrupt what holds the lock, and would wait in vain
            else:
                time.sleep(_POLL_SECONDS)
        for thread in threads:
            thread.join()
        for wave in stop_order(self._servers):
            self._stop(wave)
        if self._unwritten is not None:
            raise self._unwritten

    def _mind_starter(self) -> None:
        """Stop if whoever started us is gone before it said, with a byte, that it found all servers running."""
        if not os.read(sys.stdin.fileno(), 1):
            self._stopping.set()

    def _begin(self, servers: Iterable[Server]) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._live, args=(server,)) for server in servers]
        for thread in threads:
            thread.start()
        return threads

    def _revive(self) -> list[threading.Thread]:
        """Begin anew with servers that have failed, in a new generation of the state: that is what `up` waits for."""
        failed = [server for server in self._servers if self._entry(server).state == "failed"]
        self._stop(failed)
        self._state.generation += 1
        for server in failed:
            self._ready[server.name].clear()
            self._update(server, state="waiting", restarts=0, reason="")
        return self._begin(failed)

    def _live(self, server: Server) -> None:
        """Start one server, and again when it dies; a server that never became ready is not started again."""
        try:
            if not self._await_needs(server):
                return
            server.prepare()
            process = self._start(server)
            if not self._await_ready(server, process):
                return
            self._keep(server, process)
        except (EmbeddedError, OSError, subprocess.SubprocessError) as error:
            self._fail(server, str(error))
        except Exception as error:
            self._fail(server, f"unexpectedly: {error!r}; see {self._state_dir.log_file('supervisor')}")
            raise

    def _keep(self, server: Server, process: subprocess.Popen[bytes]) -> None:
        policy = RestartPolicy()
        while not self._stopping.wait(_POLL_SECONDS):
            if process.poll() is None:
                continue
            back_off = policy.after_death(time.monotonic())
            if back_off is None:
                self._fail(server, f"died {policy.deaths} times within {WITHIN_SECONDS:.0f} s, not started again")
                return
            self._ready[server.name].clear()
            self._update(server, state="restarting", process=None, restarts=self._entry(server).restarts + 1)
            if self._stopping.wait(back_off):
                return
            process = self._start(server)
            if not self._await_ready(server, process) and not self._stopping.is_set():
                # It died again, or hangs: either way the next round counts it as a death.
                terminate([identity for identity in (self._entry(server).process,) if identity], server.stop_seconds)

    def _await_needs(self, server: Server) -> bool:
        for name in server.needs:
            while not self._ready[name].wait(_POLL_SECONDS):
                if self._stopping.is_set():
                    return False
        return True

    def _start(self, server: Server) -> subprocess.Popen[bytes]:
        launch = server.launch()
        with self._state_dir.log_file(server.name).open("ab") as log:
            process = subprocess.Popen(
                [str(argument) for argument in launch.arguments],
                env=base_environment() | dict(launch.environment),
                cwd=self._state_dir.server_dir(server.name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=launch.user,
            )
        self._update(server, state="starting", process=identify(process.pid, launch.stop_signal))
        return process

    def _await_ready(self, server: Server, process: subprocess.Popen[bytes]) -> bool:
        """Poll the server until it serves. False if it died first, hung, or the stack is being stopped."""
        begun = time.monotonic()
        while not self._stopping.is_set():
            if process.poll() is not None:
                if not self._entry(server).restarts:
                    self._fail(server, f"ended with exit code {process.returncode} before it was ready")
                return False
            if server.is_ready():
                self._update(server, state="running", ready_seconds=round(time.monotonic() - begun, 2))
                self._ready[server.name].set()
                return True
            if time.monotonic() - begun > _BOOT_SECONDS:
                if not self._entry(server).restarts:
                    self._fail(server, f"not ready {_BOOT_SECONDS:.0f} s after its start")
                return False
            self._stopping.wait(_POLL_SECONDS)
        return False

    def _stop(self, servers: Sequence[Server]) -> None:
        running = [(server, self._entry(server).process) for server in servers]
        identities = [process for _, process in running if process is not None]
        terminate(identities, max((server.stop_seconds for server in servers), default=0))
        for server in servers:
            self._update(server, state="stopped", process=None)

    def _fail(self, server: Server, reason: str) -> None:
        tail = log_tail(self._state_dir, server.name)
        self._update(server, state="failed", reason=f"{reason}\n{tail}".rstrip())

    def _entry(self, server: Server) -> ServerState:
        return self._state.servers[server.name]

    def _update(self, server: Server, **changes: object) -> None:
        with self._lock:
            for name, value in changes.items():
                setattr(self._entry(server), name, value)
            try:
                self._tell(server, changes)
            except (EmbeddedError, OSError) as error:  # nobody would learn what becomes of the servers
                self._unwritten = error
                self._stopping.set()

    def _tell(self, server: Server, changes: Mapping[str, object]) -> None:
        self._state_dir.write(self._state)
        if "state" in changes:
            told = {name: value.pid if isinstance(value, Identity) else value for name, value in changes.items()}
            log.info("server.state", server=server.name, **told)


def stop_order(servers: Sequence[Server]) -> list[list[Server]]:
    """Return the servers in waves: a server stops only after all those that use it.

    Connect needs nobody to start, yet it commits its offsets to Kafka when it stops.
    """
    users = {"kafka": {"registry", "connect", "ksql"}, "registry": {"connect", "ksql"}}
    users["postgres"] = {"registry", "connect"}
    left, waves = list(servers), []
    while left:
        names = {server.name for server in left}
        wave = [server for server in left if not users.get(server.name, set()) & names]
        waves.append(wave)
        left = [server for server in left if server not in wave]
    return waves


def log_tail(state_dir: StateDir, name: str) -> str:
    """Return the last lines of a server's log; empty where there is none."""
    path = state_dir.log_file(name)
    if not path.exists():
        return ""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join([f"last lines of {path}:", *(f"  {line}" for line in lines)]) if lines else ""
