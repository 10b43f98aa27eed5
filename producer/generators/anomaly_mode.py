"""Sessions with anomalies in between, each marked in metadata so that detection can be scored."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random

from producer.avro import Record
from producer.generators.population import CURRENCY_OF_COUNTRY, MARKETS, Population, address
from producer.generators.session_mode import session_events
from producer.generators.shapes import Shapes
from producer.generators.timeline import EventIds, Timeline

ANOMALY_AFTER_EVENT = 0.004
BURST_EVENTS = (30, 80)
BURST_GAP_MS = 20
TRAVEL_MS = 5_000
OUTLIER_CENTS = (2_000_000, 10_000_000)  # other purchases cost less than 600
ENVELOPE = ("user_id", "session_id", "device", "country", "ip_address")

Deviation = tuple[int, Record]  # how many ms after the normal event, and what differs from its envelope


def anomalous_events(rng: Random, population: Population, timeline: Timeline) -> Iterator[Record]:
    """Yield sessions as in session mode for ever, and now and then an anomaly of the user who was just active.

    An anomaly happens right after a normal event, so it adds to the load of that moment. Its mark is the metadata
    `{"anomaly": "burst" | "impossible_travel" | "outlier_purchase"}`.
    """
    sessions = Random(rng.getrandbits(64))
    shapes, event_ids = Shapes(rng), EventIds(rng)
    for index, normal in enumerate(session_events(sessions, population, timeline)):
        yield normal
        if rng.random() >= ANOMALY_AFTER_EVENT:
            continue
        planned = timeline.planned(index)
        name, anomaly = rng.choice(ANOMALIES)
        envelope = {field: normal[field] for field in ENVELOPE}
        for delay_ms, deviation in anomaly(rng, shapes, normal["country"]):
            occurred_at = timeline.stamp(planned + delay_ms)
            yield {
                **envelope,
                **deviation,
                "event_id": event_ids.next(occurred_at),
                "occurred_at": occurred_at,
                "metadata": f'{{"anomaly":"{name}"}}',
            }


def _burst(rng: Random, shapes: Shapes, _country: str) -> Iterator[Deviation]:
    shape = shapes.draw("click")
    for number in range(1, rng.randint(*BURST_EVENTS) + 1):
        yield number * BURST_GAP_MS, shape


def _impossible_travel(rng: Random, shapes: Shapes, country: str) -> Iterator[Deviation]:
    elsewhere = rng.choice([market[0] for market in MARKETS if market[0] != country])
    yield TRAVEL_MS, {**shapes.draw("page_view"), "country": elsewhere, "ip_address": address(rng)}


def _outlier_purchase(rng: Random, shapes: Shapes, country: str) -> Iterator[Deviation]:
    amount = Decimal(rng.randint(*OUTLIER_CENTS)).scaleb(-2)
    purchase = shapes.product().purchase(shapes.quantity(), CURRENCY_OF_COUNTRY[country])
    yield BURST_GAP_MS, {**purchase, "amount": amount}


ANOMALIES: tuple[tuple[str, Callable[[Random, Shapes, str], Iterator[Deviation]]], ...] = (
    ("burst", _burst),
    ("impossible_travel", _impossible_travel),
    ("outlier_purchase", _outlier_purchase),
)
