"""What a run of the producer is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, get_args

from access.http import Endpoint
from producer.errors import InvalidRequestError
from producer.events import EPOCH
from producer.generators import Mode


@dataclass(frozen=True, kw_only=True)
class ProduceRequest:
    """Where to, how many events, of which kind, how fast.

    `events` None means: until stopped. `rate` is records per second, re-sends included. `duplicates` is the share of
    events that are sent again. `since` spreads the events over the span that ends now. With a `seed` the same request
    gives the same events all day (UTC): see `producer.generators.timeline.reproducible`. `metrics_address` is where
    the run tells Prometheus what it did so far: host and port.
    """

    bootstrap_servers: str
    schema_registry: Endpoint
    kafka_config: Mapping[str, Any] = field(default_factory=dict)
    topic: str = "user-events"
    users_topic: str = "users"
    events: int | None = 1000
    rate: float | None = None
    users: int = 500
    user: str | None = None
    mode: Mode = "random"
    seed: int | None = None
    duplicates: float = 0.0
    since: timedelta | None = None
    with_users: bool = True
    metrics_address: tuple[str, int] | None = None

    def check(self, now: datetime) -> None:
        """Refuse what makes no sense.

        Raises:
            InvalidRequestError: naming the option.
        """
        for wrong, complaint in (
            (self.events is not None and self.events < 1, f"events must be at least 1, not {self.events}"),
            (self.rate is not None and not self.rate > 0, f"rate must be more than 0 per second, not {self.rate}"),
            (self.users < 1, f"users must be at least 1, not {self.users}"),
            (self.user is not None and not self.user.strip("\0 "), "user must not be empty: give the id of a user"),
            (self.user is not None and "\0" in self.user, "user must not contain the character U+0000"),
            (self.mode not in get_args(Mode), f"mode must be one of {', '.join(get_args(Mode))}, not {self.mode}"),
            (not 0 <= self.duplicates <= 1, f"duplicates must be a share from 0 to 1, not {self.duplicates}"),
            (
                self.since is not None and self.events is None,
                "since needs a number of events to spread over the span: give --events instead of --continuous",
            ),
            (
                self.since is not None and not timedelta(0) < self.since <= now - EPOCH,
                f"since must be a span that begins before now and after 1970, not {self.since}",
            ),
        ):
            if wrong:
                raise InvalidRequestError(complaint)
