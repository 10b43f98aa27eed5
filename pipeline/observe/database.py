"""What PostgreSQL tells of the pipeline's state: dead letters that wait, and the last verification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from pydantic import SecretStr

from pipeline.clients.postgres import connect, table_exists
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.table import count_groups

_LAST_VERIFY = (
    "SELECT ended_at, ok, differences FROM pipeline_checks WHERE kind = 'verify' ORDER BY ended_at DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class WaitingLetters:
    """Dead letters of one sink that failed alike and are neither resolved nor given up."""

    connector: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class LastVerify:
    """The outcome of the last `pipeline verify`; ``differences`` says how many of which kind."""

    ended_at: datetime
    ok: bool
    differences: Mapping[str, int]

    @property
    def differences_text(self) -> str:
        """The differences that there are, in words."""
        return ", ".join(f"{count:,} {name}" for name, count in self.differences.items() if count) or "none counted"


@dataclass(frozen=True, slots=True)
class DatabaseLook:
    """Waiting letters, most frequent first, and the last verification; None where there was none."""

    dead_letters: list[WaitingLetters]
    last_verify: LastVerify | None


def read_database(dsn: SecretStr) -> DatabaseLook:
    """Read both; tables that are not deployed yet hold nothing. Raises UnreachableError or RejectedError."""
    with connect(dsn, autocommit=True) as connection:
        letters = _dead_letters(connection) if table_exists(connection, "dead_letter_queue") else []
        check = _last_verify(connection) if table_exists(connection, "pipeline_checks") else None
    return DatabaseLook(letters, check)


def _dead_letters(connection: psycopg.Connection) -> list[WaitingLetters]:
    counts: Counter[tuple[str, str]] = Counter()
    for group, by_status in count_groups(connection, Filters(statuses=("pending", "retrying", "dead"))).items():
        counts[group.connector, group.reason] += by_status.total()
    return [WaitingLetters(connector, reason, count) for (connector, reason), count in counts.most_common()]


def _last_verify(connection: psycopg.Connection) -> LastVerify | None:
    row = connection.execute(_LAST_VERIFY).fetchone()
    return LastVerify(*row) if row else None
