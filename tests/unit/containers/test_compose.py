"""What can be known of the container stack without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from embedded.installation import Installation
from embedded.servers.catalogue import PORT_NAMES
from embedded.servers.connect import Connect
from embedded.servers.interface import Stack
from embedded.servers.registry import Registry
from embedded.state import StateDir
from tests.conftest import ROOT

_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::?([-?])([^}]*))?\}")
_UNITS = {"m": 2**20, "g": 2**30}


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def resolve(value: str, variables: dict[str, str]) -> str:
    """Replace ${NAME:-default} as compose does."""
    return _VARIABLE.sub(lambda found: variables.get(found[1], found[3] if found[2] == "-" else ""), value)


def settings_of(service: str, variables: dict[str, str] | None = None) -> dict[str, str]:
    environment = services()[service]["environment"]
    return {name: resolve(str(value), variables or {}) for name, value in environment.items()}


def properties_of(path: Path, variables: dict[str, str]) -> dict[str, str]:
    """Read a properties file and its ${env:NAME}."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    pairs = (line.split("=", 1) for line in lines)
    return {name: re.sub(r"\$\{env:(\w+)\}", lambda found: variables[found[1]], value) for name, value in pairs}


@pytest.fixture
def embedded_stack(tmp_path: Path) -> Stack:
    installation = Installation(java=None, connect_plugins=tmp_path / "plugins", registry=tmp_path)
    return Stack(StateDir(tmp_path), {name: 20_000 + n for n, name in enumerate(PORT_NAMES)}, "hidden", installation)


def test_the_connect_worker_is_configured_as_the_embedded_one_except_for_addresses_and_replicas(
    embedded_stack: Stack,
) -> None:
    ours = {name: str(value) for name, value in Connect(embedded_stack).settings().items()}
    theirs = properties_of(ROOT / "docker/connect/worker.properties", settings_of("connect"))
    assert theirs.keys() == ours.keys()
    differing = {name for name in ours if ours[name] != theirs[name]}
    assert differing == {
        "bootstrap.servers",
        "listeners",
        "rest.advertised.host.name",
        "rest.advertised.port",
        "plugin.path",
        "value.converter.apicurio.registry.url",
    }
    assert "-Duser.timezone=UTC" in (ROOT / "docker/connect/Dockerfile").read_text()
    assert [n for n in settings_of("connect") if n.startswith("PG_")] == ["PG_JDBC_URL", "PG_USER", "PG_PASSWORD"]


def test_the_registry_is_configured_as_the_embedded_one_except_for_addresses() -> None:
    stack = Stack(
        StateDir(Path("/nowhere")), dict.fromkeys(PORT_NAMES, 1), "hidden", Installation(None, registry=Path())
    )
    ours = Registry(stack).settings()
    theirs = settings_of("registry")
    shared = {name.upper().replace(".", "_").replace("-", "_"): str(value) for name, value in ours.items()}
    assert theirs.keys() - {"JAVA_OPTS_APPEND", "APICURIO_DATASOURCE_PASSWORD"} == shared.keys()
    assert {name for name in shared if shared[name] != theirs[name]} == {
        "QUARKUS_HTTP_HOST",
        "QUARKUS_HTTP_PORT",
        "QUARKUS_MANAGEMENT_HOST",
        "QUARKUS_MANAGEMENT_PORT",
        "APICURIO_DATASOURCE_URL",
    }


def test_three_brokers_hold_every_record_three_times_and_writes_need_two() -> None:
    variables = {name: value or "" for name, value in dotenv_values(ROOT / "docker/cluster.env").items()}
    brokers = [name for name, service in services().items() if "KAFKA_NODE_ID" in service.get("environment", {})]
    assert [services()[name].get("profiles", []) for name in brokers] == [[], ["cluster"], ["cluster"]]
    assert variables["COMPOSE_PROFILES"] == "cluster"
    for name in brokers:
        settings = settings_of(name, variables)
        assert settings["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
        assert {value for key, value in settings.items() if key.endswith("REPLICATION_FACTOR")} == {"3"}
        assert f"{settings['KAFKA_NODE_ID']}@{name}:9093" in settings["KAFKA_CONTROLLER_QUORUM_VOTERS"]
        assert f"INTERNAL://{name}:19092" in settings["KAFKA_ADVERTISED_LISTENERS"]
        assert f"{name}:19092" in settings_of("connect", variables)["BOOTSTRAP_SERVERS"]
    assert dotenv_values(ROOT / "profiles/docker-cluster.env")["PIPELINE_REPLICATION_FACTOR"] == "3"


def test_every_mounted_and_copied_file_exists() -> None:
    for service in services().values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in compose()["volumes"]
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for dockerfile in ROOT.glob("docker/*/Dockerfile"):
        for source in re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", dockerfile.read_text(), re.MULTILINE):
            for path in source.split():
                assert (ROOT / path).exists(), f"{dockerfile}: {path}"
                assert f"!{path.split('/')[0]}" in ignored, f"{path} is not sent to the builder"


def test_every_variable_is_documented_and_no_secret_stands_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    documented = (ROOT / ".env.example").read_text()
    for name, kind, _ in _VARIABLE.findall(text):
        assert re.search(rf"^#?{name}=", documented, re.MULTILINE), f"{name} is not in .env.example"
        assert (kind == "?") == name.endswith("PASSWORD"), f"{name}: a secret has no default, other variables have one"
    for service in services().values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASS|SECRET|TOKEN", name):
                assert _VARIABLE.fullmatch(str(value)), f"{name} is a secret as it is"


def test_every_image_is_pinned_and_every_port_is_unique_and_local() -> None:
    ports: list[str] = []
    for name, service in services().items():
        assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+", service["image"]), f"{name}: {service['image']}"
        for published in service.get("ports", []):
            host, port, _ = published.split(":")
            assert host == "127.0.0.1", f"{name} listens on {host}"
            ports.append(port)
    assert len(ports) == len(set(ports))
    for dockerfile in ROOT.glob("docker/*/Dockerfile"):
        for image in re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE):
            assert re.search(r":\d+(\.\d+)+", image), f"{dockerfile}: {image}"


def test_every_service_is_checked_limited_restarted_and_without_privileges() -> None:
    for name, service in services().items():
        assert service["healthcheck"]["test"], name
        assert service["restart"] == ("no" if service.get("profiles") == ["cli"] else "unless-stopped"), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        for needed, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}, f"{name} does not wait for {needed}"
            assert not services()[needed].get("profiles"), f"{name} needs {needed}, which a profile may leave out"


def test_the_default_profile_fits_8_gb() -> None:
    limits = [service["mem_limit"] for service in services().values() if "profiles" not in service]
    assert sum(int(limit[:-1]) * _UNITS[limit[-1]] for limit in limits) <= 8_000_000_000


def test_the_profile_names_the_published_ports_and_the_project() -> None:
    published = {port for service in services().values() for port in service.get("ports", [])}
    for profile in ("docker", "docker-cluster"):
        values = dotenv_values(ROOT / "profiles" / f"{profile}.env")
        addresses = re.findall(r"127\.0\.0\.1:\d+", " ".join(value or "" for value in values.values()))
        assert len(addresses) >= 5
        assert {address.rpartition(":")[2] for address in addresses} <= {port.split(":")[1] for port in published}
        assert values["PIPELINE_COMPOSE_PROJECT"] == compose()["name"]


@pytest.mark.parametrize("profiles", ["", "cluster,cli,control-center"])
def test_compose_itself_accepts_the_file(profiles: str) -> None:
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "compose", "version"], check=False, capture_output=True).returncode
    ):
        pytest.skip("docker compose is not installed here")
    environment = {**os.environ, "COMPOSE_PROFILES": profiles, "PIPELINE_POSTGRES_PASSWORD": "x"}
    outcome = subprocess.run(
        ["docker", "compose", "config", "--format", "json"],
        env={**environment, "GRAFANA_ADMIN_PASSWORD": "x"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert ("kafka-3" in json.loads(outcome.stdout)["services"]) == bool(profiles)
