"""Events without a story: any user, any type, by weight."""

from collections.abc import Iterator
from itertools import accumulate
from random import Random

from producer.avro import Record
from producer.generators.population import Population
from producer.generators.shapes import Shapes
from producer.generators.timeline import EventIds, Timeline
from producer.generators.visit import Visit

WEIGHTS = {
    "page_view": 35,
    "click": 25,
    "search": 10,
    "login": 6,
    "video_watch": 6,
    "cart_add": 6,
    "logout": 4,
    "purchase": 3,
    "share": 3,
    "cart_remove": 2,
}
NEW_VISIT = 0.1


def random_events(rng: Random, population: Population, timeline: Timeline) -> Iterator[Record]:
    """Yield events of random users and types for ever."""
    shapes, event_ids, random = Shapes(rng), EventIds(rng), rng.random
    types = _lots()
    visits: list[Visit | None] = [None] * len(population)
    index = 0
    while True:
        number = int(random() * len(visits))
        visit = visits[number]
        if visit is None or random() < NEW_VISIT:
            visit = visits[number] = Visit(rng, population.members[number])
        shape = _shape(types[int(random() * len(types))], shapes, visit, rng)
        occurred_at = timeline.stamp(timeline.planned(index))
        yield visit.event(event_ids.next(occurred_at), occurred_at, shape)
        index += 1


def _lots() -> list[str]:
    """Return every type as often as its weight says: drawing from a list is faster than from weights."""
    lots = [""] * sum(WEIGHTS.values())
    for (event_type, weight), end in zip(WEIGHTS.items(), accumulate(WEIGHTS.values()), strict=True):
        lots[end - weight : end] = [event_type] * weight
    return lots


def _shape(event_type: str, shapes: Shapes, visit: Visit, rng: Random) -> Record:
    match event_type:
        case "purchase":
            return shapes.product().purchase(shapes.quantity(), visit.currency)
        case "cart_add" | "cart_remove":
            return shapes.product().in_cart(event_type, shapes.quantity())
        case "logout":
            return {"event_type": "logout", "page": "/logout", "duration_seconds": int(rng.random() * 3600)}
        case _:
            return shapes.draw(event_type)
