"""A circuit breaker: a receiver that answers nobody is left alone for a while, then asked once."""

from __future__ import annotations

from dataclasses import dataclass, replace

FAILURES = 5
"""In a row, of any messages, before the receiver itself is taken to be down."""

FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 300.0
"""Doubling between these: a receiver that comes back is found within five minutes."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """How one receiver has fared; times are monotonic seconds.

    Attributes:
        failures: attempts in a row that it did not answer.
        opened_times: how often in a row it was given up for a while.
        open_until_seconds: when it may be asked again.
    """

    failures: int = 0
    opened_times: int = 0
    open_until_seconds: float = 0.0

    def pause_seconds(self, now_seconds: float) -> float:
        """Return how long nothing may be sent, 0 when something may."""
        return max(0.0, self.open_until_seconds - now_seconds)

    @property
    def is_trusted(self) -> bool:
        """Whether more than one attempt may be made; otherwise the next one is a probe."""
        return self.opened_times == 0

    def succeeded(self) -> Breaker:
        """Return the breaker after the receiver answered, be it with a refusal."""
        return Breaker()

    def failed(self, now_seconds: float) -> Breaker:
        """Return the breaker after the receiver did not answer, or not sensibly."""
        failures = self.failures + 1
        if self.is_trusted and failures < FAILURES:
            return replace(self, failures=failures)
        pause_seconds = min(FIRST_PAUSE_SECONDS * 2**self.opened_times, LONGEST_PAUSE_SECONDS)
        return Breaker(failures, self.opened_times + 1, now_seconds + pause_seconds)
