"""An erasure, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.markup import escape

from pipeline.clients.positions import Position
from pipeline.erase.erase import Erased
from pipeline.erase.person import Holdings
from pipeline.erase.remains import Remainder
from pipeline.report.console import out, table


def print_holdings(user_id: str, holdings: Holdings) -> None:
    """Print what is there of a person."""
    shown = table("table", "rows", title=escape(f"What is there of {user_id}"), numbers=frozenset({"rows"}))
    for name, count in holdings.rows.items():
        shown.add_row(name, f"{count:,}")
    out.print(shown)


def print_erasure(erased: Erased) -> None:
    """Print what was removed, and what was not."""
    removed = table("removed from", "rows", numbers=frozenset({"rows"}))
    for name, count in erased.removed.items():
        removed.add_row(name, f"{count:,}")
    out.print(removed)
    out.print()
    for position in erased.tombstones:
        out.print(f"tombstone {position}")
    out.print()
    remains = table("not removed from", "until, at the latest", "because")
    for remainder in erased.remains:
        remains.add_row(remainder.where, _until(remainder), remainder.why)
    out.print(remains)


def erasure_json(erased: Erased) -> str:
    """Return all of it as one JSON object."""
    document = {
        "removed": dict(erased.removed),
        "tombstones": [str(position) for position in erased.tombstones],
        "remains": [
            {"where": each.where, "until": each.until and each.until.isoformat(), "why": each.why}
            for each in erased.remains
        ],
    }
    return json.dumps(document, indent=2)


def print_erased_again(tombstones: Sequence[Position]) -> None:
    """Print how many erased persons had statistics again, and where the tombstones are."""
    if not tombstones:
        out.print("nobody who was erased has statistics again: nothing to do")
        return
    out.print(f"statistics of erased persons that were counted anew, removed: {len(tombstones):,}")
    for position in tombstones:
        out.print(f"tombstone {position}")


def erased_again_json(tombstones: Sequence[Position]) -> str:
    """Return the same as one JSON object."""
    return json.dumps({"erased_again": len(tombstones), "tombstones": [str(each) for each in tombstones]}, indent=2)


def _until(remainder: Remainder) -> str:
    return "unknown" if remainder.until is None else f"{remainder.until:%Y-%m-%d %H:%M} UTC"
