"""The images' build steps as plain commands, and Connect as its image would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from embedded.installation import Installation, install
from pipeline.waiting import wait_until
from tests.conftest import ROOT, running_servers
from tests.integration.containers.dockerfiles import read_stages, run_stage
from tests.integration.monitoring.exporter import free_port

CONNECT = read_stages(ROOT / "docker/connect/Dockerfile")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which the build stage of docker/connect/Dockerfile has run."""
    directory = tmp_path_factory.mktemp("build")
    run_stage(CONNECT["build"], directory, directory / "site")
    return directory


def test_every_file_that_an_image_takes_from_the_build_is_there_and_lands_where_it_is_used(built: Path) -> None:
    for name in ("kafka", "connect", "ksqldb"):
        instructions = CONNECT[name].instructions
        copies = [rest.split() for instruction, rest in instructions if instruction == "COPY"]
        taken = [parts for parts in copies if parts[0] == "--from=build"]
        assert taken
        for *_, source, _target in taken:
            assert (built / source.removeprefix("/build/")).exists(), source
        options = next(rest for instruction, rest in instructions if instruction == "ENV")
        for path in ("/opt/jmx/jmx_prometheus_javaagent.jar", f"/opt/jmx/{name}.yml"):
            assert path in options
            landing = [
                Path(target) / Path(source).name if target.endswith("/") else Path(target)
                for *_, source, target in copies
            ]
            assert Path(path) in landing


@contextmanager
def worker(installation: Installation, environment: dict[str, str], built: Path, log: Path) -> Iterator[int]:
    """Run the worker as the image does, with its JMX exporter, on free ports; yields that of the exporter."""
    assert installation.java is not None
    port = free_port()
    agent = f"-javaagent:{built}/connect/jmx_prometheus_javaagent.jar=127.0.0.1:{port}:{ROOT}/embedded/jmx/connect.yml"
    arguments = [installation.java.executable, agent, "-XX:TieredStopAtLevel=1", "-Xmx512m"]
    settings = (ROOT / "docker/connect/worker.properties").read_text()
    properties = log.with_name("worker.properties")
    properties.write_text(settings.replace("/opt/connect/plugins", str(built / "connect" / "plugins")))
    arguments += ["org.apache.kafka.connect.cli.ConnectDistributed", properties]
    class_path = os.pathsep.join(map(str, installation.connect))
    with log.open("w") as stream:
        process = subprocess.Popen(
            list(map(str, arguments)),
            env={"CLASSPATH": class_path, **environment},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)


def answers(url: str) -> requests.Response | None:
    try:
        found = requests.get(url, timeout=10)
    except requests.ConnectionError:
        return None
    return found if found.ok else None


def test_connect_runs_with_the_images_plugins_and_configuration(built: Path, tmp_path: Path) -> None:
    with running_servers(tmp_path / "state", "--only", "kafka") as addresses:
        listener = f"http://127.0.0.1:{free_port()}"
        environment = {
            "BOOTSTRAP_SERVERS": addresses["PIPELINE_KAFKA_BOOTSTRAP_SERVERS"],
            "REGISTRY_URL": "http://127.0.0.1:9",
            "LISTENER": listener,
            "ADVERTISED_HOST": "127.0.0.1",
            "REPLICATION_FACTOR": "1",
        }
        log = tmp_path / "connect.log"
        with worker(install({"connect"}), environment, built, log) as metrics_port:
            wait_until(lambda: answers(f"{listener}/health"), awaiting=f"Connect (see {log})", timeout_seconds=120)
            plugins = {plugin["class"] for plugin in requests.get(f"{listener}/connector-plugins", timeout=30).json()}
            metrics = requests.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=30).text
    assert {"useranalytics.connect.DeadLetterSinkConnector", "io.debezium.connector.jdbc.JdbcSinkConnector"} <= plugins
    assert "connect_worker_rebalances_total" in metrics


def test_the_command_line_works_from_what_its_image_installs(tmp_path: Path) -> None:
    run_stage(read_stages(ROOT / "docker/pipeline/Dockerfile")["final"], tmp_path, tmp_path / "site")
    outcome = subprocess.run(
        [sys.executable, "-c", "import pipeline, sys; print(pipeline.__file__); import pipeline.cli.exporter"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert outcome.stdout.startswith(str(tmp_path / "site"))
