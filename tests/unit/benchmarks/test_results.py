"""Rounds, percentiles and the report of the benchmarks."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks import plots, results
from benchmarks.capacity import COST, sections_of_capacity
from benchmarks.latency import percentiles
from benchmarks.results import Chart, Section, merged, read_results, section_of_rounds, shown, write_results
from benchmarks.rounds import interleave
from benchmarks.workload import poisoned


def test_contenders_take_turns_and_the_round_that_warms_up_does_not_count() -> None:
    runs: list[str] = []

    def contender(name: str, rates: list[float]) -> float:
        runs.append(name)
        return rates[sum(run == name for run in runs) - 1]

    slow, fast = interleave(
        {
            "slow": lambda: contender("slow", [1, 100, 10, 20]),
            "fast": lambda: contender("fast", [9, 150, 30, 40]),
        },
        "slow",
    )

    assert runs == ["slow", "fast"] * 4
    assert (slow.values, fast.values) == ([100, 10, 20], [150, 30, 40])
    assert (slow.ratio, fast.ratio, fast.ratios) == (1, 2, [1.5, 3, 2])


def test_percentiles_are_those_of_the_sorted_values() -> None:
    assert percentiles(range(101, 0, -1)) == [51, 96, 100, 101]


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, "-"), ("name", "name"), (1234567.8, "1,234,568"), (31.456, "31.5"), (0.01234, "0.0123"), (7, "7")],
)
def test_numbers_are_shown_with_three_digits(cell: float | str | None, text: str) -> None:
    assert shown(cell) == text


def test_the_exact_share_of_events_is_poison() -> None:
    events = list(poisoned(1000, 0.01))
    assert len({event["event_id"] for event in events}) == 1000
    spoilt = [event["event_type"] == "teleport" or "\\u0000" in str(event.get("metadata")) for event in events]
    no_amount = [event["event_type"] == "purchase" and event["amount"] is None for event in events]
    assert sum(spoilt) + sum(no_amount) == 10


def test_capacity_is_the_cost_of_an_event_times_the_rate() -> None:
    load = Section("load", "", ("server", "cores", COST, "MiB"), [["kafka", 0.5, 20.0, 300], ["all", 0.5, 20.0, 300]])
    disk = Section("disk", "", ("what", "MiB"), [["table", 1024.0]])
    cores, gibibytes = sections_of_capacity([load, disk])
    assert cores.rows == [["kafka", 0.02, 0.2, 2, 20], ["all", 0.02, 0.2, 2, 20]]
    assert gibibytes.rows == [["table", 86.4, 864, 8640, 86400]]
    assert sections_of_capacity([]) == []


def test_the_report_holds_every_table_and_its_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "DIRECTORY", tmp_path)
    monkeypatch.setattr(plots, "DIRECTORY", tmp_path)
    rates = iter([100.0, 150.0, 200.0, 250.0, 100.0, 140.0])
    series = interleave({"by hand": lambda: next(rates), "sink": lambda: next(rates)}, "by hand", warm_ups=0)
    sections = [
        section_of_rounds("delivery", "Delivery", series, baseline="by hand", unit="rows/s", note="A note."),
        Section("boot", "Boot", ("", "s"), [["cold", 9.5], ["warm", None]], chart=Chart(("s",), "s")),
        Section("bare", "Without a chart", ("", "s"), [["cold", 9.5]]),
    ]

    path = write_results("latest", {"machine": "2 cores"}, sections)
    plots.draw("latest", sections)

    report = path.read_text(encoding="utf-8")
    assert "- machine: 2 cores" in report
    assert "| sink | 150 | 140 | 250 | 1.4 | 1.25 | 1.5 |" in report
    assert "![Boot](latest-boot.svg)" in report
    assert read_results("latest") == sections
    again = Section("boot", "Boot", ("", "s"), [["cold", 8]], taken="Taken later.")
    assert merged(read_results("latest"), [again]) == [sections[0], again, sections[2]]
    document = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert document["sections"][0]["raw"] == {"by hand": [100, 200, 100], "sink": [150, 250, 140]}
    plotted = {file.name: ET.parse(file).getroot() for file in tmp_path.glob("*.svg")}
    assert plotted.keys() == {"latest-delivery.svg", "latest-boot.svg"}
    assert all(root.tag.endswith("svg") and not root.findall(".//{*}script") for root in plotted.values())
