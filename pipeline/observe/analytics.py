"""What the pipeline has computed, in a few figures: events by type, and the users with the highest scores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from psycopg.rows import class_row
from pydantic import SecretStr

from pipeline.clients.postgres import connect

TOP_USERS = 5

_EVENTS = "SELECT event_type, count(*) FROM user_events GROUP BY event_type ORDER BY count(*) DESC, event_type"
_USERS = """
SELECT user_id, total_events, total_purchases, total_spent, engagement_score, churn_risk, last_active
FROM user_stats_live
ORDER BY engagement_score DESC, total_spent DESC, user_id
LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class TopUser:
    """A row of user_stats_live; money in USD, ``churn_risk`` from 0 to 1."""

    user_id: str
    total_events: int
    total_purchases: int
    total_spent: Decimal
    engagement_score: float
    churn_risk: Decimal
    last_active: datetime


@dataclass(frozen=True, slots=True)
class Analytics:
    """Rows of user_events by type, most frequent first, and the most engaged users."""

    events_by_type: dict[str, int]
    top_users: list[TopUser]


def read_analytics(dsn: SecretStr) -> Analytics:
    """Read both from PostgreSQL. Raises UnreachableError or RejectedError."""
    with connect(dsn) as connection:
        events = {str(event_type): int(count) for event_type, count in connection.execute(_EVENTS)}
        with connection.cursor(row_factory=class_row(TopUser)) as cursor:
            users = cursor.execute(_USERS, (TOP_USERS,)).fetchall()
    return Analytics(events, users)
