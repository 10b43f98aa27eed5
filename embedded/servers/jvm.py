"""Command lines of the Java servers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from embedded.errors import InstallationError
from embedded.servers.interface import Stack

_JMX_RULES = Path(__file__).parents[1] / "jmx"

_LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{yyyy-MM-dd HH:mm:ss.SSS} %-5p %c{1}: %X{connector.context}%m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
logger.clients.name = org.apache.kafka.clients
logger.clients.level = warn
logger.config.name = org.apache.kafka.common.config
logger.config.level = warn
logger.reflections.name = org.reflections
logger.reflections.level = error
# While a database is away, these say so with every attempt, some with the data of a row; the dead letter sink says it
# once a minute, and whatever else they report is in its dead letters or in the trace of the failed task.
logger.task.name = org.apache.kafka.connect.runtime.WorkerSinkTask
logger.task.level = info
logger.task.filter.retry.type = RegexFilter
logger.task.filter.retry.regex = .*RetriableException from SinkTask.*
logger.task.filter.retry.onMatch = DENY
logger.task.filter.retry.onMismatch = NEUTRAL
logger.delegate.name = io.debezium.connector.jdbc
logger.delegate.level = off
logger.hibernate.name = org.hibernate
logger.hibernate.level = off
logger.pool.name = io.agroal
logger.pool.level = off
"""


def java_arguments(stack: Stack, heap_megabytes: int, options: Sequence[str] = ()) -> list[str | Path]:
    """Return the Java executable and its options: a bounded heap, UTC, and what makes a JVM boot fast."""
    if stack.installation.java is None:
        raise InstallationError("this stack was started without a Java server; run: python -m embedded up")
    compiler = ["-XX:TieredStopAtLevel=1"] if stack.fast_boot else []
    return [
        stack.installation.java.executable,
        f"-Xms{heap_megabytes // 4}m",
        f"-Xmx{heap_megabytes}m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-Duser.timezone=UTC",
        "-Djava.awt.headless=true",
        *compiler,
        *options,
    ]


def class_path(jars: Sequence[Path]) -> dict[str, str]:
    """Return the environment that gives a JVM its class path, which keeps the process list readable."""
    return {"CLASSPATH": os.pathsep.join(map(str, jars))}


def logging_option(stack: Stack, name: str) -> str:
    """Write a server's log4j configuration (to standard output, our log file) and return the option naming it."""
    path = stack.state_dir.write_text(f"{name}/log4j2.properties", _LOGGING)
    return f"-Dlog4j2.configurationFile={path}"


def metrics_option(stack: Stack, name: str) -> str:
    """Return the option that loads the JMX exporter, which serves the server's metrics on a port of its own."""
    return f"-javaagent:{stack.installation.jmx_exporter}={stack.address(f'{name}-metrics')}:{_JMX_RULES / name}.yml"


def jmx_metrics_url(stack: Stack, name: str) -> str:
    """Return where the JMX exporter of a server answers."""
    return f"{stack.url(f'{name}-metrics')}/metrics"
