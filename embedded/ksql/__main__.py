"""The engine's process: ``python -m embedded.ksql`` serves until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time

import structlog
from pydantic import ValidationError

from embedded.ksql.errors import KsqlError, ServerError
from embedded.ksql.rest.application import application
from embedded.ksql.rest.serving import serve_until
from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.engine import Engine
from embedded.ksql.runtime.registry import RegistryClient
from embedded.ksql.runtime.session import Cluster
from embedded.ksql.runtime.topics import Topics
from embedded.ksql.settings import Settings, setting_name
from embedded.logs import configure_logs

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.2
# Two batches under way are some 170,000 objects, none of them part of a cycle, and gone once they are committed. At the
# default of 700, looking for cycles among them took a quarter of the engine's time, at 100,000 still a twentieth
# (docs/decisions/0008-speed-of-the-engine.md).
OBJECTS_BEFORE_COLLECTION = 500_000
# How long a thread may keep Python's lock while another waits: queries take turns of some hundred events, not of one.
SWITCH_SECONDS = 0.02
FAILED, BAD_SETTINGS = 1, 2


def main() -> int:
    """Serve until SIGTERM or SIGINT and return the exit code: 1 a server is missing, 2 the settings are wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        for wrong in error.errors():
            name = f"{setting_name(str(wrong['loc'][0]))}: " if wrong["loc"] else ""
            sys.stderr.write(f"error: {name}{wrong['msg'].removeprefix('Value error, ')}\n")
        return BAD_SETTINGS
    configure_logs(settings.log_level)
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        asyncio.run(_serve(settings))
    except KsqlError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return FAILED
    return 0


async def _serve(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    opening = asyncio.get_running_loop().run_in_executor(None, _open, settings, stopping)
    engine = await opening
    if engine is None:
        return
    try:
        listener = settings.ksqldb_listener
        log.info("engine.serving", address=f"http://{listener}")
        await serve_until(application(engine, listener), listener, stopping, engine.transients.stop)
    finally:
        await asyncio.get_running_loop().run_in_executor(None, engine.close)
        log.info("engine.stopped")


def _open(settings: Settings, stopping: asyncio.Event) -> Engine | None:
    clients = KafkaClients(settings.kafka_config())
    registry = RegistryClient(settings.registry())
    topics = Topics(clients)
    if not _await_servers(settings, topics, registry, stopping):
        return None
    engine = Engine(Cluster(clients, topics, registry, settings.ksqldb_service_id))
    engine.open()
    return engine


def _await_servers(settings: Settings, topics: Topics, registry: RegistryClient, stopping: asyncio.Event) -> bool:
    """Wait for Kafka and the registry; return False if the process is to stop before. Raises ServerError."""
    seconds = settings.startup_timeout_seconds
    deadline = time.monotonic() + seconds
    while not stopping.is_set():
        missing = _missing(settings, topics, registry)
        if missing is None:
            return True
        if time.monotonic() > deadline:
            raise ServerError(f"{missing} within {seconds:g} s; is it running?")
        time.sleep(POLL_SECONDS)
    return False


def _missing(settings: Settings, topics: Topics, registry: RegistryClient) -> str | None:
    if not topics.is_reachable():
        return f"Kafka at {settings.kafka_bootstrap_servers} (PIPELINE_KAFKA_BOOTSTRAP_SERVERS) did not answer"
    if not registry.is_reachable():
        return f"The Schema Registry at {settings.schema_registry_url} (PIPELINE_SCHEMA_REGISTRY_URL) did not answer"
    return None


if __name__ == "__main__":
    sys.exit(main())
