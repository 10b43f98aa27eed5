"""One visit of a user: what all its events have in common."""

from random import Random

from producer.avro import Record
from producer.generators.population import CURRENCY_OF_COUNTRY, Member, address

AWAY_FROM_HOME = 0.15


class Visit:
    """A session: who, from where and with what."""

    __slots__ = ("context", "currency", "member")

    def __init__(self, rng: Random, member: Member) -> None:
        self.member = member
        self.currency = CURRENCY_OF_COUNTRY[member.country]
        self.context: Record = {
            "event_id": "",
            "user_id": member.user_id,
            "session_id": f"s-{rng.getrandbits(64):016x}",
            "event_type": "",
            "occurred_at": 0,
            "device": member.device,
            "country": member.country,
            "ip_address": member.ip_address if rng.random() > AWAY_FROM_HOME else address(rng),
        }

    def event(self, event_id: str, occurred_at: int, shape: Record) -> Record:
        """Return the event of that shape."""
        event = {**self.context, **shape}
        event["event_id"] = event_id
        event["occurred_at"] = occurred_at
        return event
