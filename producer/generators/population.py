"""The users: ids, where and with what they are at home, and their profiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from random import Random

from producer.users import User

# Country, its currency, and its share of the users.
MARKETS = (
    ("US", "USD", 30),
    ("DE", "EUR", 14),
    ("GB", "GBP", 11),
    ("FR", "EUR", 9),
    ("IN", "INR", 9),
    ("BR", "BRL", 7),
    ("CA", "CAD", 6),
    ("ES", "EUR", 5),
    ("AU", "AUD", 4),
    ("NL", "EUR", 3),
    ("SE", "SEK", 2),
)
CURRENCY_OF_COUNTRY = {country: currency for country, currency, _ in MARKETS}
DEVICES = ("web", "mobile", "tablet", "desktop")
DEVICE_WEIGHTS = (30, 45, 8, 17)
NAMES = 400
EPOCH_OF_SIGNUPS = date(2020, 1, 1)
SIGNUP_DAYS = 2000


@dataclass(frozen=True, slots=True)
class Member:
    """One user as the generators need them."""

    user_id: str
    country: str
    device: str
    ip_address: str


class Population:
    """That many users, the same for the same seed and size.

    A single user of a given id is a population of one.
    """

    def __init__(self, size: int, seed: int, only: str | None = None) -> None:
        self.name = f"{seed}:{size if only is None else only!r}"
        rng = Random(f"population:{seed}")
        user_ids = [only] if only is not None else [f"user-{number:06d}" for number in range(1, size + 1)]
        count = len(user_ids)
        countries = rng.choices([market[0] for market in MARKETS], [market[2] for market in MARKETS], k=count)
        devices = rng.choices(DEVICES, DEVICE_WEIGHTS, k=count)
        self.members = [
            Member(user_id, country, device, address(rng))
            for user_id, country, device in zip(user_ids, countries, devices, strict=True)
        ]
        self._seed = seed

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def _names(self) -> tuple[list[str], list[str]]:
        from faker import Faker  # noqa: PLC0415 - takes half a second, and only profiles need it

        faker = Faker("en_GB")
        faker.seed_instance(self._seed)
        return [faker.first_name() for _ in range(NAMES)], [faker.last_name() for _ in range(NAMES)]

    def profiles(self) -> Iterator[User]:
        """Yield the profile of every user."""
        first_names, last_names = self._names
        rng = Random(f"profiles:{self._seed}")
        for number, member in enumerate(self.members, start=1):
            first, last = rng.choice(first_names), rng.choice(last_names)
            yield User(
                user_id=member.user_id,
                email=f"{first}.{last}.{number}@example.com".lower().replace(" ", ""),
                first_name=first,
                last_name=last,
                country=member.country,
                is_active=rng.random() < 0.95,  # noqa: PLR2004 - one in twenty has closed the account
                signup_date=EPOCH_OF_SIGNUPS + timedelta(days=rng.randrange(SIGNUP_DAYS)),
            )


def address(rng: Random) -> str:
    """Return an address out of 198.18.0.0/15, which RFC 2544 keeps free for tests: nobody's."""
    number = rng.getrandbits(17)
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
