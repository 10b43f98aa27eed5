"""What `--profile docker` says where no container engine is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def pipeline(*arguments: str, project: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")}
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "--project", str(project), *arguments],
        env={**environment, "DOCKER_HOST": "unix:///nowhere/docker.sock"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_without_a_container_engine_one_line_says_so(command: str) -> None:
    outcome = pipeline("--profile", "docker", command)
    assert outcome.returncode == 1
    assert "no container engine answers" in outcome.stderr
    assert "DOCKER_HOST" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_servers_that_others_run_are_not_started_from_here(tmp_path: Path) -> None:
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    lines = [line for line in (ROOT / "profiles/docker.env").read_text().splitlines() if "COMPOSE_PROJECT" not in line]
    (profiles / "elsewhere.env").write_text("\n".join(lines))
    outcome = pipeline("--profile", "elsewhere", "up", project=tmp_path)
    assert outcome.returncode == 2
    assert "the servers of profile elsewhere are not started or stopped from here" in outcome.stderr


def test_data_of_containers_is_not_deleted_by_down() -> None:
    outcome = pipeline("--profile", "docker", "down", "--delete-data")
    assert outcome.returncode == 2
    assert "make docker-clean" in outcome.stderr
