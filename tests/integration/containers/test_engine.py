"""`--profile docker` with a real container engine: the machine's own, or one started here; skipped where neither is.

The containers are as compose labels them, but hold nothing: no image can be had here.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from pipeline.waiting import wait_until
from tests.conftest import ROOT

IMAGE = "pipeline-test-nothing:1"
SERVICES = {"kafka": "", "postgres": "", "connect": "kafka:service_healthy:false,postgres:service_healthy:false"}
UNTIL_TOLD = "trap 'exit 0' TERM; while true; do sleep 0.2; done"


def answers(url: str) -> bool:
    """Whether an engine listens; only sockets of this machine are asked."""
    with socket.socket(socket.AF_UNIX) as probe:
        return url.startswith("unix://") and probe.connect_ex(url.removeprefix("unix://")) == 0


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a container engine."""
    existing = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if answers(existing):
        yield existing
        return
    program = shutil.which("dockerd")
    if program is None or os.geteuid() != 0:
        pytest.skip("no container engine answers, and none can be started here")
    home = tmp_path_factory.mktemp("engine")
    url = f"unix://{home}/docker.sock"
    options = ["--storage-driver=vfs", "--iptables=false", "--ip6tables=false", "--bridge=none", f"--host={url}"]
    options += [f"--{name}={home / name}" for name in ("data-root", "exec-root", "pidfile")]
    with (home / "log").open("w") as log:
        process = subprocess.Popen([program, *options], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: answers(url), awaiting=f"dockerd (see {home / 'log'})", timeout_seconds=60)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)


def image(busybox: Path) -> bytes:
    """Return a file system with a shell and nothing else."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for name in ("sh", "sleep"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return content.getvalue()


@pytest.fixture
def project(engine: str, tmp_path: Path) -> Iterator[tuple[dict[str, str], Any]]:
    """A compose project of three containers, stopped: the environment that names it, and a client of the engine."""
    busybox = shutil.which("busybox")
    if busybox is None or subprocess.run(["ldd", busybox], check=False, capture_output=True).returncode == 0:
        pytest.skip("there is no static busybox to make an image of; Debian has it in the package busybox-static")
    client = docker.DockerClient(base_url=engine, version="1.41")
    client.api.import_image_from_data(image(Path(busybox)), *IMAGE.split(":"))
    name = f"test-{tmp_path.name.replace('_', '-')}"
    made = [
        client.containers.create(
            IMAGE,
            ["/bin/sh", "-c", UNTIL_TOLD],
            network_mode="none",
            healthcheck={"test": ["CMD", "/bin/sh", "-c", "true"], "interval": 500_000_000},
            labels={
                "com.docker.compose.project": name,
                "com.docker.compose.service": service,
                "com.docker.compose.oneoff": "False",
                "com.docker.compose.depends_on": needs,
            },
        )
        for service, needs in SERVICES.items()
    ]
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    text = (ROOT / "profiles/docker.env").read_text()
    (profiles / "test.env").write_text(text.replace("=user-analytics\n", f"={name}\n"))
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PIPELINE_")}
    try:
        yield {**inherited, "DOCKER_HOST": engine, "PIPELINE_PROJECT_DIR": str(tmp_path)}, client
    finally:
        for container in made:
            container.remove(force=True)
        client.close()


def pipeline(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "--profile", "test", *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def states(environment: dict[str, str]) -> dict[str, str]:
    servers = json.loads(pipeline(environment, "status", "--json").stdout)["servers"]
    return {server["name"]: server["state"] for server in servers}


def test_containers_are_started_in_order_shown_and_stopped(project: tuple[dict[str, str], Any]) -> None:
    environment, client = project
    assert states(environment) == dict.fromkeys(sorted(SERVICES), "created")
    started = pipeline(environment, "up")
    assert started.returncode == 0, started.stderr
    shown = [line.split()[0] for line in started.stderr.splitlines()]
    assert shown == ["kafka", "postgres", "connect"]
    assert states(environment) == dict.fromkeys(sorted(SERVICES), "running")
    assert pipeline(environment, "down").returncode == 0
    assert states(environment) == dict.fromkeys(sorted(SERVICES), "exited")
    ended = {c.labels["com.docker.compose.service"]: c.attrs["State"] for c in client.containers.list(all=True)}
    assert {state["ExitCode"] for state in ended.values()} == {0}
    assert ended["connect"]["FinishedAt"] < min(ended[name]["FinishedAt"] for name in ("kafka", "postgres"))


def test_containers_that_compose_has_not_created_are_one_line(engine: str, tmp_path: Path) -> None:
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    text = (ROOT / "profiles/docker.env").read_text().replace("=user-analytics\n", "=nobody\n")
    (profiles / "test.env").write_text(text)
    environment = {**os.environ, "DOCKER_HOST": engine, "PIPELINE_PROJECT_DIR": str(tmp_path)}
    outcome = pipeline(environment, "up")
    assert outcome.returncode == 1
    assert "there are no containers of nobody; create them with `make docker-up`" in outcome.stderr
