"""From what an event costs to what a rate needs: the arithmetic behind docs/capacity.md."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.results import Section

RATES = (1_000, 10_000, 100_000, 1_000_000)
SECONDS_A_DAY = 86_400
COST = "µs of processor an event"


def sections_of_capacity(sections: Sequence[Section]) -> list[Section]:
    """Return what each rate needs, as far as the sections before tell what an event costs."""
    found = {section.key: section for section in sections}
    answer = []
    if "load" in found:
        answer.append(_cores(found["load"]))
    if "disk" in found:
        answer.append(_gibibytes(found["disk"]))
    return answer


def _cores(load: Section) -> Section:
    cost = load.columns.index(COST)
    return Section(
        key="capacity-cores",
        title="Capacity: cores that each rate would keep busy",
        columns=("server", *(f"{rate:,}/s" for rate in RATES)),
        rows=[[row[0], *(float(row[cost] or 0) * rate / 1e6 for rate in RATES)] for row in load.rows],
        note=f"Each server's {COST} while the whole pipeline ran, times the rate: what a server needs if it scaled "
        "evenly. The engine does not: it is one process. See docs/capacity.md for what to do instead.",
    )


def _gibibytes(disk: Section) -> Section:
    return Section(
        key="capacity-disk",
        title="Capacity: GiB that a day of each rate writes",
        columns=("what", *(f"{rate:,}/s" for rate in RATES)),
        rows=[
            [row[0], *(float(row[1] or 0) / 1024 * rate * SECONDS_A_DAY / 1e6 for rate in RATES)] for row in disk.rows
        ],
        note="MiB per million events times the rate, one copy; user_stats and compacted topics stop growing with the "
        "number of users.",
    )
