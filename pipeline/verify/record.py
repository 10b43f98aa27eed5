"""Writing down what a check found, for `pipeline exporter` and for those who ask later."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg.types.json import Jsonb
from pydantic import SecretStr

from pipeline.clients.postgres import connect

_INSERT = "INSERT INTO pipeline_checks (kind, ok, seconds, differences) VALUES (%s, %s, %s, %s)"


def record_check(
    dsn: SecretStr, kind: str, *, ok: bool, seconds: Mapping[str, float], differences: Mapping[str, int]
) -> None:
    """Add a row to pipeline_checks. Raises RejectedError, such as where the table is not deployed yet."""
    with connect(dsn) as connection:
        connection.execute(_INSERT, (kind, ok, Jsonb(dict(seconds)), Jsonb(dict(differences))))
