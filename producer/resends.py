"""Some messages again, a little later: what a client does that missed an acknowledgement."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import TypeVar

LAG = 100  # messages that wait to be sent again

Message = TypeVar("Message")


def with_resends(messages: Iterable[Message], share: float, rng: Random) -> Iterator[tuple[Message, bool]]:
    """Yield each message, and an exact share of them once more; the flag says that it is a re-send."""
    waiting: list[Message] = []
    for number, message in enumerate(messages):
        yield message, False
        if int((number + 1) * share) > int(number * share):
            waiting.append(message)
        if len(waiting) > LAG:
            yield waiting.pop(rng.randrange(LAG)), True
    for message in waiting:
        yield message, True
