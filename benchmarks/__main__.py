"""`make bench`: what is promised, measured on a stack of its own."""

from __future__ import annotations

import os
import platform

from benchmarks.engine import measure_engine_promises, processor_time
from benchmarks.producer import measure_producer
from benchmarks.stack import EVENTS, measure_engine, own_stack


def main() -> None:
    """Print the figures; absolute ones mean little on a busy machine, so its load stands beside them."""
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    print(f"machine   {os.cpu_count()} cores, load {load}, {platform.platform()}, Python {platform.python_version()}")
    with own_stack() as settings:
        measure_producer(settings.kafka_bootstrap_servers, settings.schema_registry, 200_000)
        with processor_time(settings, EVENTS):
            rate = measure_engine(settings)
        print(f"engine    {rate:,.0f} events/s: {EVENTS:,} events deduplicated and aggregated, broker included")
        measure_engine_promises(settings)


main()
