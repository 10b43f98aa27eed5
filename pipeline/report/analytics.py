"""Events by type and top users, as tables."""

from __future__ import annotations

from rich.markup import escape

from pipeline.observe.analytics import Analytics
from pipeline.report.console import out, table

_FIGURES = ("events", "purchases", "spent (USD)", "engagement", "churn risk")


def print_analytics(analytics: Analytics) -> None:
    """Print what the pipeline has computed."""
    events = table("event type", "events", title="Events by type", numbers=frozenset({"events"}))
    for event_type, count in analytics.events_by_type.items():
        events.add_row(event_type, f"{count:,}")
    out.print(events)
    out.print()
    users = table("user", *_FIGURES, title="Top users", numbers=frozenset(_FIGURES))
    for user in analytics.top_users:
        users.add_row(
            escape(user.user_id),
            f"{user.total_events:,}",
            f"{user.total_purchases:,}",
            f"{user.total_spent:,.2f}",
            f"{user.engagement_score:.1f}",
            f"{user.churn_risk:.4f}",
        )
    out.print(users)
    out.print()
