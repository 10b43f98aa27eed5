"""Plausible journeys: login, browse, search, fill the cart, pay, log out; those of many users interleave."""

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random

from producer.avro import Record
from producer.generators.population import Member, Population
from producer.generators.shapes import Product, Shapes
from producer.generators.timeline import EventIds, Timeline
from producer.generators.visit import Visit

MAX_OPEN_SESSIONS = 5_000
BROWSING = ("page_view",) * 9 + ("click",) * 6 + ("search",) * 3 + ("video_watch",) * 2 + ("share",)
BROWSING_STEPS = (2, 12)
FILLS_CART = 0.45
DROPS_PRODUCT = 0.2
PAYS = 0.6
LOGS_OUT = 0.7
THINK_SECONDS = 8  # for a step that does not say how long it lasts


class Session:
    """A visit and what is still to happen in it, last step first."""

    __slots__ = ("script", "visit")

    def __init__(self, visit: Visit, script: list[Record]) -> None:
        self.visit = visit
        self.script = script[::-1]


def session_events(rng: Random, population: Population, timeline: Timeline) -> Iterator[Record]:
    """Yield the events of sessions for ever, ordered by time.

    At every moment either the session goes on that has waited longest beyond its time to think, or a new one begins:
    so the timeline alone sets how many events there are, and sessions fill it.
    """
    shapes, event_ids = Shapes(rng), EventIds(rng)
    idle = list(population.members)
    least_idle = max(0, len(idle) - MAX_OPEN_SESSIONS)
    waiting: list[tuple[float, int, Session]] = []
    index = 0
    while True:
        planned = timeline.planned(index)
        if len(idle) > least_idle and not (waiting and waiting[0][0] <= planned):
            member = _take(rng, idle)
            visit = Visit(rng, member)
            session = Session(visit, journey(rng, shapes, visit.currency))
        else:
            session = heappop(waiting)[2]
        shape = session.script.pop()
        occurred_at = timeline.stamp(planned)
        yield session.visit.event(event_ids.next(occurred_at), occurred_at, shape)
        if session.script:
            think_ms = 1000 * shape.get("duration_seconds", THINK_SECONDS)
            heappush(waiting, (planned + think_ms, index, session))
        else:
            idle.append(session.visit.member)
        index += 1


def journey(rng: Random, shapes: Shapes, currency: str) -> list[Record]:
    """Return the steps of one session; its logout says how long it lasted."""
    steps = [shapes.draw("login")]
    steps += [shapes.draw(rng.choice(BROWSING)) for _ in range(rng.randint(*BROWSING_STEPS))]
    if rng.random() < FILLS_CART:
        steps += _shopping(rng, shapes, currency)
    if rng.random() < LOGS_OUT:
        duration_seconds = sum(step.get("duration_seconds", THINK_SECONDS) for step in steps)
        steps.append({"event_type": "logout", "page": "/logout", "duration_seconds": duration_seconds})
    return steps


def _shopping(rng: Random, shapes: Shapes, currency: str) -> list[Record]:
    cart: list[tuple[Product, int]] = [(shapes.product(), shapes.quantity()) for _ in range(rng.randint(1, 3))]
    steps = [product.in_cart("cart_add", quantity) for product, quantity in cart]
    if rng.random() < DROPS_PRODUCT:
        product, quantity = cart.pop()
        steps.append(product.in_cart("cart_remove", quantity))
    if rng.random() < PAYS:
        steps += [product.purchase(quantity, currency) for product, quantity in cart]
    return steps


def _take(rng: Random, idle: list[Member]) -> Member:
    """Remove a random member: the last one takes its place, which is cheaper than moving all behind it."""
    number = int(rng.random() * len(idle))
    member = idle[number]
    idle[number] = idle[-1]
    idle.pop()
    return member
