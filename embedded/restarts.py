"""When a server that died is started again, and when no more."""

from __future__ import annotations

FIRST_BACK_OFF_SECONDS = 1.0
LONGEST_BACK_OFF_SECONDS = 30.0
MOST_RESTARTS = 5
WITHIN_SECONDS = 300.0


class RestartPolicy:
    """Waits twice as long before each restart, and gives up after ``MOST_RESTARTS`` within ``WITHIN_SECONDS``."""

    def __init__(self) -> None:
        self._deaths: list[float] = []
        self._back_off_seconds = 0.0

    @property
    def deaths(self) -> int:
        """How often the server died of late."""
        return len(self._deaths)

    def after_death(self, now_seconds: float) -> float | None:
        """Return the seconds to wait before the next start, or None if there is to be none."""
        recent = [death for death in self._deaths if now_seconds - death < WITHIN_SECONDS]
        self._back_off_seconds = min(self._back_off_seconds * 2, LONGEST_BACK_OFF_SECONDS) if recent else 0.0
        self._back_off_seconds = max(self._back_off_seconds, FIRST_BACK_OFF_SECONDS)
        self._deaths = [*recent, now_seconds]
        return None if self.deaths > MOST_RESTARTS else self._back_off_seconds
