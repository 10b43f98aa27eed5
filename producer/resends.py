"""Some messages again, a little later: what a client does that missed an acknowledgement."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from random import Random
from typing import TypeVar

LAG = 100  # messages that wait to be sent again

Message = TypeVar("Message")


def with_resends(messages: Iterable[Message], share: float, rng: Random) -> Iterator[tuple[Message, bool]]:
    """Yield each message, and a share of them once more, as near as their number allows; the flag marks a re-send."""
    waiting: list[Message] = []
    parts, whole = (2 * number for number in Fraction(str(share)).as_integer_ratio())
    due = whole // 2  # half a message: so their number is rounded
    for message in messages:
        yield message, False
        due += parts
        if due >= whole:
            due -= whole
            waiting.append(message)
        if len(waiting) > LAG:
            yield waiting.pop(rng.randrange(LAG)), True
    for message in waiting:
        yield message, True
