"""Servers that run elsewhere, told by whether they answered."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg.conninfo import conninfo_to_dict

from pipeline.clients.embedded import Server
from pipeline.settings import Settings


def probed_servers(settings: Settings, unanswered: Mapping[str, str]) -> list[Server]:
    """Return a line for each server; their processes are none of ours, so there is no pid and no memory."""
    dsn = conninfo_to_dict(settings.postgres_dsn.get_secret_value())
    addresses = {
        "kafka": settings.kafka_bootstrap_servers,
        "registry": settings.schema_registry_url,
        "connect": settings.connect_url,
        "postgres": f"{dsn.get('host', 'localhost')}:{dsn.get('port', 5432)}",
        "ksql": settings.ksqldb_url,
    }
    return [
        Server(
            name=name,
            pid=None,
            address=address,
            metrics_url="",
            state="unanswered" if name in unanswered else "running",
            rss_bytes=0,
            restarts=0,
            reason="",
        )
        for name, address in addresses.items()
    ]
