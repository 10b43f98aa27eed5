"""Commands with settings of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT

NOWHERE = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "SCHEMA_REGISTRY_URL": "http://127.0.0.1:9",
    "CONNECT_URL": "http://127.0.0.1:9",
    "KSQLDB_URL": "http://127.0.0.1:9",
    "POSTGRES_DSN": "postgresql://nobody@127.0.0.1:9/none",
}


def environment(settings: Mapping[str, object], state_dir: Path) -> dict[str, str]:
    """Return the environment with these settings (without their prefix, AWS's own apart) and none else."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PIPELINE_", "AWS_"))}
    given = {**NOWHERE, **settings, "STATE_DIR": state_dir, "PROJECT_DIR": ROOT}
    variables = {name if name.startswith("AWS_") else f"PIPELINE_{name}": str(value) for name, value in given.items()}
    return {**inherited, **variables}


def run(
    settings: Mapping[str, object],
    state_dir: Path,
    *arguments: str,
    module: str = "pipeline",
    timeout_seconds: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a command, which must end within the time."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment(settings, state_dir),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )


def only_line(outcome: subprocess.CompletedProcess[str], exit_code: int) -> str:
    """Return the one line that a command which failed wrote."""
    assert outcome.returncode == exit_code, outcome.stdout + outcome.stderr
    (line,) = outcome.stderr.splitlines()
    return line
