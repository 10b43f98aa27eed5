"""The parts of the pipeline on a cluster that authorises: each signs in as itself, with TLS and a password."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from embedded.installation import install
from embedded.ports import choose_ports
from embedded.servers.connect import Connect
from embedded.servers.interface import Stack as EmbeddedStack
from embedded.servers.interface import base_environment, properties
from embedded.state import StateDir
from pipeline.waiting import wait_until
from tests.conftest import ROOT, Stack
from tests.integration.access.broker import PART_PASSWORD, Broker
from tests.integration.access.certificates import Authority
from tests.integration.access.commands import environment

Settings = dict[str, object]


def as_part(broker: Broker, authority: Authority, name: str) -> Settings:
    """Return the settings with which a part signs in."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker.addresses["SECURE"],
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": name,
        "KAFKA_SASL_PASSWORD": PART_PASSWORD,
        "KAFKA_SSL_CA_LOCATION": authority.ca,
    }


@contextmanager
def engine(settings: Mapping[str, object], state_dir: Path) -> Iterator[str]:
    """Run the embedded engine, and yield its URL."""
    listener = f"127.0.0.1:{choose_ports(['ksql'], {})['ksql']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "embedded.ksql"],
        env=environment({**settings, "KSQLDB_LISTENER": listener}, state_dir),
        cwd=ROOT,
    )
    try:

        def answers() -> bool:
            assert process.poll() is None
            try:
                return requests.get(f"http://{listener}/info", timeout=5).ok
            except requests.ConnectionError:
                return False

        wait_until(answers, awaiting="the engine", timeout_seconds=60)
        yield f"http://{listener}"
    finally:
        process.terminate()
        assert process.wait(60) == 0


@contextmanager
def worker(broker: Broker, authority: Authority, stack: Stack, dsn: str, directory: Path) -> Iterator[str]:
    """Run a Connect worker as ``connect``, with the stack's registry and the DSN's database; yield its URL."""
    database, registry = urlsplit(dsn), urlsplit(stack.schema_registry_url)
    ports = choose_ports(("connect", "connect-metrics"), {})
    ports |= {"registry": int(registry.port or 0), "kafka": 0, "postgres": int(database.port or 0)}
    state = StateDir(directory / "worker")
    state.create()
    server = Connect(EmbeddedStack(state, ports, str(database.password), install({"connect"})))
    settings = {**server.settings(), **_signed_in(authority), "bootstrap.servers": broker.addresses["SECURE"]}
    state.write_text("connect/worker.properties", properties(settings))
    launch = server.launch()
    jdbc = {"PG_JDBC_URL": f"jdbc:postgresql://{database.hostname}:{database.port}{database.path}?connectTimeout=10"}
    with (directory / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [*map(str, launch.arguments)],
            env={**base_environment(), **launch.environment, **jdbc},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:

            def answers() -> bool:
                assert process.poll() is None, f"the worker has ended, see {log.name}"
                return server.is_ready()

            wait_until(answers, awaiting=f"the worker ({log.name})", timeout_seconds=180)
            yield server.address()
        finally:
            process.kill()
            process.wait()


def _signed_in(authority: Authority) -> dict[str, object]:
    """Return what a worker and its clients sign in with."""
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    one = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": f'{module} required username="connect" password="{PART_PASSWORD}";',
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority.ca,
    }
    return {
        f"{prefix}{name}": value for prefix in ("", "producer.", "consumer.", "admin.") for name, value in one.items()
    }
