"""Real servers for the tests that need them: one embedded stack a process, on free ports, stopped at the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from tests.figures import figure, pytest_terminal_summary
from tests.workers import (
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_unconfigure,
    pytest_xdist_make_scheduler,
)

__all__ = [  # of these pytest takes the hooks and the fixture
    "figure",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_terminal_summary",
    "pytest_unconfigure",
    "pytest_xdist_make_scheduler",
]

ROOT = Path(__file__).parents[1]

# A shell that runs the tests in the background has them ignore SIGINT, and every command they start with them.
signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis_settings.register_profile("ours", deadline=None, max_examples=50)
hypothesis_settings.load_profile("ours")


@dataclass(frozen=True, slots=True)
class Stack:
    """The addresses of the servers that the tests talk to."""

    state_dir: Path
    kafka_bootstrap_servers: str
    schema_registry_url: str
    connect_url: str
    ksqldb_url: str
    postgres_dsn: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a command line finds this stack and nothing else."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")}
        return {**inherited, "PIPELINE_STATE_DIR": str(self.state_dir), "PIPELINE_PROJECT_DIR": str(ROOT)}

    def pipeline(self, *arguments: str, timeout_seconds: float = 180) -> subprocess.CompletedProcess[str]:
        """Run the command line against this stack."""
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )


def read_environment(path: Path) -> dict[str, str]:
    """Return the NAME=value lines of a file: of the launcher's, or of a Java server's properties."""
    lines = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
    return {name: value for name, _, value in lines}


@contextmanager
def running_servers(state_dir: Path, *options: str) -> Iterator[dict[str, str]]:
    """Run servers whose data and logs are in the directory; return the settings that name their addresses."""
    command, environment = [sys.executable, "-m", "embedded"], {**os.environ, "PIPELINE_STATE_DIR": str(state_dir)}
    try:
        subprocess.run([*command, "up", *options], env=environment, cwd=ROOT, check=True, timeout=600)
        yield read_environment(state_dir / "environment")
    finally:
        subprocess.run([*command, "down"], env=environment, cwd=ROOT, check=True, timeout=120)


@contextmanager
def running_stack(state_dir: Path) -> Iterator[Stack]:
    """Run a stack whose data and logs are in the directory."""
    with running_servers(state_dir) as addresses:
        yield Stack(
            state_dir=state_dir,
            kafka_bootstrap_servers=addresses["PIPELINE_KAFKA_BOOTSTRAP_SERVERS"],
            schema_registry_url=addresses["PIPELINE_SCHEMA_REGISTRY_URL"],
            connect_url=addresses["PIPELINE_CONNECT_URL"],
            ksqldb_url=addresses["PIPELINE_KSQLDB_URL"],
            postgres_dsn=addresses["PIPELINE_POSTGRES_DSN"],
        )


@pytest.fixture
def project_dir(tmp_path: Path) -> Path:
    """The declarations of this repository, copied so that a test may break them."""
    for folder in ("connectors", "schemas", "ksql", "sql"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in ("acls.yaml", "topics.yaml"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> Stack:
    """The stack with everything deployed that the repository declares."""
    outcome = stack.pipeline("deploy")
    assert outcome.returncode == 0, outcome.stderr
    return stack
