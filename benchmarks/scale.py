"""How delivery scales with partitions, tasks and Connect workers, and which server is the bottleneck."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psutil
import requests

from benchmarks.delivery import Delivery
from benchmarks.load import Load, measured_load
from benchmarks.results import Cell, Chart, Section
from benchmarks.sizes import Sizes
from benchmarks.stack import Running
from benchmarks.workload import Workload, fill_topic
from embedded.ports import choose_ports
from pipeline.waiting import wait_until

SERVERS = ("kafka", "connect", "postgres")
WAIT_SECONDS = 120.0


def measure_scale(running: Running, sizes: Sizes) -> Section:
    """Return rows a second of each layout, and the cores that each server used meanwhile."""
    workloads = {count: fill_topic(running.settings, sizes.scale_events, partitions=count) for count in _counts(sizes)}
    rates: dict[tuple[int, int, int], list[float]] = {layout: [] for layout in sizes.layouts}
    loads: dict[tuple[int, int, int], Load] = {}
    for number in range(1 - sizes.warm_ups, sizes.rounds + 1):
        for workers in sorted({layout[2] for layout in sizes.layouts}):
            with second_worker(running) if workers > 1 else nullcontext():
                for layout in (each for each in sizes.layouts if each[2] == workers):
                    rate, loads[layout] = _run(running, workloads[layout[0]], tasks=layout[1])
                    print(f"  scale    {_name(layout):40} {rate:12,.0f}", flush=True)
                    rates[layout] += [rate] if number > 0 else []
    rows: list[list[Cell]] = [
        [_name(layout), median(each), min(each), max(each), *_cores(loads[layout])] for layout, each in rates.items()
    ]
    return Section(
        key="scale",
        title=f"Scale: delivery of {sizes.scale_events:,} events by partitions, tasks and workers",
        columns=("layout", "median rows/s", "lowest", "highest", *(f"{server}, cores" for server in SERVERS)),
        rows=rows,
        note="Cores of the last round, start of the connector included; those of a second worker are not counted.",
        chart=Chart(("median rows/s",), "rows/s"),
        raw={_name(layout): each for layout, each in rates.items()},
    )


def _cores(load: Load) -> list[float]:
    return [load.processor_seconds[server] / load.seconds for server in SERVERS]


def _counts(sizes: Sizes) -> list[int]:
    return sorted({partitions for partitions, _, _ in sizes.layouts})


def _name(layout: tuple[int, int, int]) -> str:
    return ", ".join(
        f"{count} {noun}{'' if count == 1 else 's'}"
        for count, noun in zip(layout, ("partition", "task", "worker"), strict=True)
    )


def _run(running: Running, workload: Workload, *, tasks: int) -> tuple[float, Load]:
    with TemporaryDirectory() as directory, measured_load(running.stack) as load:
        rate = Delivery(running.settings, workload, Path(directory)).by_connect({"tasks.max": str(tasks)})
    return rate, load


@contextmanager
def second_worker(running: Running) -> Iterator[None]:
    """Run another Connect worker of the same group: the first one's command line with a port of its own."""
    first = psutil.Process(next(server.pid for server in running.stack.servers() if server.name == "connect"))
    port = choose_ports(["second"], {})["second"]
    properties = running.directory / "connect" / "worker.properties"
    other = running.directory / "second-worker.properties"
    taken = str(urlsplit(running.settings.connect_url).port)
    text = properties.read_text(encoding="utf-8")
    other.write_text(re.sub(rf"\b{taken}\b", str(port), text), encoding="utf-8")
    # The agent that serves metrics has its port already.
    arguments = [argument for argument in first.cmdline() if not argument.startswith("-javaagent:")]
    command = [str(other) if argument == str(properties) else argument for argument in arguments]
    with (running.directory / "second-worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=first.environ(), stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until(
                lambda: _answers(process, f"http://127.0.0.1:{port}/health", Path(log.name)),
                awaiting="the second worker",
                timeout_seconds=WAIT_SECONDS,
            )
            yield
        finally:
            process.terminate()
            process.wait(60)


def _answers(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the second worker ended:\n{log.read_text(encoding='utf-8')[-2000:]}")
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
