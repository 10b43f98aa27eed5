"""Generators of events: deterministic by seed, as records ready for the encoder.

The records are plain dicts, because building a validated model for each would cost more than everything else together;
tests validate what the generators make.
"""

from collections.abc import Iterator
from random import Random
from typing import Literal

from producer.avro import Record
from producer.generators.anomaly_mode import anomalous_events
from producer.generators.population import Population
from producer.generators.random_mode import random_events
from producer.generators.session_mode import session_events
from producer.generators.timeline import Timeline

Mode = Literal["random", "session", "anomaly"]

_GENERATORS = {"random": random_events, "session": session_events, "anomaly": anomalous_events}


def generate(mode: Mode, seed: int, population: Population, timeline: Timeline) -> Iterator[Record]:
    """Return an endless stream of events; the same arguments give the same events.

    They are ordered by planned time, but for anomalies. Any other argument gives other events with other ids: an id
    never comes back with other content.
    """
    rng = Random(f"{mode}:{seed}:{population.name}:{timeline.start_ms}:{timeline.gap_ms}")
    return _GENERATORS[mode](rng, population, timeline)
