"""What single events look like apart from who, where and when: built once, then only copied.

A shape is the part of a record that belongs to the event type, with page, referrer and duration.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from producer.avro import Record

CATEGORIES = ("books", "electronics", "fashion", "garden", "groceries", "music", "sports", "toys")
WORDS = ("red", "blue", "small", "large", "cheap", "new", "used", "light", "warm", "quiet")
ELEMENTS = (("buy", "button"), ("menu", "link"), ("logo", "image"), ("filter", "select"), ("next", "link"))
CHANNELS = ("email", "link", "messenger", "social")
REFERRERS = (None, None, "/", "/search", "https://search.example/", "https://news.example/")
PRODUCTS = 300
SHAPES_PER_TYPE = 400
MAX_PIECES = 3


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy."""

    product_id: str
    category: str
    price: Decimal

    @property
    def page(self) -> str:
        """The path of its page."""
        return f"/products/{self.product_id}"

    def in_cart(self, event_type: str, quantity: int) -> Record:
        """Return the shape of a cart_add or cart_remove."""
        return {"event_type": event_type, "page": self.page, "product_id": self.product_id, "quantity": quantity}

    def purchase(self, quantity: int, currency: str) -> Record:
        """Return the shape of a purchase."""
        return {
            "event_type": "purchase",
            "page": "/checkout",
            "product_id": self.product_id,
            "quantity": quantity,
            "category": self.category,
            "amount": self.price * quantity,
            "currency": currency,
        }


class Shapes:
    """Pools of shapes, by event type."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.products = [
            Product(f"p-{number:04d}", rng.choice(CATEGORIES), Decimal(rng.randint(199, 19_999)).scaleb(-2))
            for number in range(1, PRODUCTS + 1)
        ]
        self._pools = {
            "login": self._pool(self._login),
            "page_view": self._pool(self._page_view),
            "click": self._pool(self._click),
            "video_watch": self._pool(self._video_watch),
            "search": self._pool(self._search),
            "share": self._pool(self._share),
        }

    def draw(self, event_type: str) -> Record:
        """Return one shape of a type that stands for itself; it is shared, so copy before changing it."""
        pool = self._pools[event_type]
        return pool[int(self._rng.random() * len(pool))]

    def product(self) -> Product:
        """Return one product."""
        return self.products[int(self._rng.random() * PRODUCTS)]

    def quantity(self) -> int:
        """Return how many pieces somebody takes."""
        return 1 + int(self._rng.random() ** 2 * MAX_PIECES)

    def _pool(self, shape: Callable[[], Record]) -> list[Record]:
        return [shape() for _ in range(SHAPES_PER_TYPE)]

    def _login(self) -> Record:
        method = self._rng.choice(("password", "passkey", "sso"))
        return {"event_type": "login", "page": "/login", "metadata": f'{{"method":"{method}"}}', "duration_seconds": 3}

    def _page_view(self) -> Record:
        page = self._rng.choice(("/", "/offers", f"/category/{self._rng.choice(CATEGORIES)}", self.product().page))
        return {
            "event_type": "page_view",
            "page": page,
            "referrer": self._rng.choice(REFERRERS),
            "duration_seconds": self._rng.randint(2, 120),
        }

    def _click(self) -> Record:
        element_id, element_type = self._rng.choice(ELEMENTS)
        return {
            "event_type": "click",
            "page": self.product().page,
            "element_id": element_id,
            "element_type": element_type,
            "x": self._rng.randrange(1920),
            "y": self._rng.randrange(4000),
        }

    def _video_watch(self) -> Record:
        video_duration_seconds = self._rng.randint(15, 600)
        watched_percent = self._rng.choice((100, self._rng.randint(0, 100)))
        video_id = f"v-{self._rng.randint(1, 200):03d}"
        return {
            "event_type": "video_watch",
            "page": f"/videos/{video_id}",
            "duration_seconds": video_duration_seconds * watched_percent // 100,
            "video_id": video_id,
            "watched_percent": watched_percent,
            "video_duration_seconds": video_duration_seconds,
        }

    def _search(self) -> Record:
        category = self._rng.choice(CATEGORIES)
        return {
            "event_type": "search",
            "page": "/search",
            "duration_seconds": self._rng.randint(1, 20),
            "query": f"{self._rng.choice(WORDS)} {category}",
            "results_count": self._rng.randint(0, 250),
            "category": self._rng.choice((None, category)),
        }

    def _share(self) -> Record:
        return {"event_type": "share", "page": self.product().page, "channel": self._rng.choice(CHANNELS)}
