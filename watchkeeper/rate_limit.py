"""How often one caller may ask: a bucket of requests that fills again at a steady rate.

A caller is a person's token, or the address of whoever shows none. The stack's own token is not
limited, nor are paths that a service names: where alerts come in, being too many is answered by
being overloaded, never by a limit.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from watchkeeper.admission import Refusal
from watchkeeper.clock import Clock
from watchkeeper.roles import STACK, Identity

MAX_CALLERS = 10_000
"""Callers remembered; who asked longest ago is forgotten first, and starts with a full bucket."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a minute, each also the most that may come at once; None for any number."""

    requests: float | None = None
    wrong_tokens: float | None = None


class RateLimit:
    """Counts the requests of each caller against one rate."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By caller: requests left, and when (monotonic seconds) that was so."""
        self._lock = threading.Lock()

    def wait_seconds(self, caller: str, *, per_minute: float, now_seconds: float) -> float:
        """Return 0 and count the request, or how long until one would be answered.

        Args:
            caller: whose bucket it is.
            per_minute: the rate, and the size of the bucket.
            now_seconds: of a clock that never runs backwards.
        """
        with self._lock:
            left, since_seconds = self._left.pop(caller, (per_minute, now_seconds))
            gained = (now_seconds - since_seconds) * per_minute / 60
            left = min(left + gained, max(per_minute, 1.0))
            is_admitted = left >= 1
            self._left[caller] = (left - 1 if is_admitted else left, now_seconds)
            if len(self._left) > MAX_CALLERS:
                self._left.popitem(last=False)
        return 0.0 if is_admitted else (1 - left) * 60 / per_minute


class CallerLimits:
    """Decides for every request whether its caller has asked too often.

    Args:
        clock: its monotonic seconds are used.
        rates: returns those in force.
        unlimited: (method, rule) of what is never limited.
        on_refused: called with ``requests`` or ``wrong-tokens``.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        rates: Callable[[], Rates],
        unlimited: Collection[tuple[str, str]],
        on_refused: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._rates = rates
        self._unlimited = unlimited
        self._on_refused = on_refused
        self._requests = RateLimit()
        self._wrong_tokens = RateLimit()

    def refusal(
        self, answer: Identity | Refusal, *, address: str, endpoint: tuple[str, str]
    ) -> Refusal | None:
        """Return why the caller has to wait, or None.

        Args:
            answer: what admission said.
            address: where the request came from.
            endpoint: its method and rule.
        """
        if isinstance(answer, Refusal):
            if answer.status != 401:
                return None
            return self._over(self._wrong_tokens, "wrong-tokens", address)
        if answer == STACK or endpoint in self._unlimited:
            return None
        return self._over(self._requests, "requests", answer.name if answer.is_person else address)

    def _over(self, limit: RateLimit, kind: str, caller: str) -> Refusal | None:
        rates = self._rates()
        per_minute = rates.requests if kind == "requests" else rates.wrong_tokens
        if per_minute is None:
            return None
        wait_seconds = limit.wait_seconds(
            caller, per_minute=per_minute, now_seconds=self._clock.monotonic_seconds()
        )
        if not wait_seconds:
            return None
        self._on_refused(kind)
        message = f"more than {per_minute:g} {kind.replace('-', ' ')} a minute from {caller}"
        return Refusal(429, "rate_limit", message, retry_after_seconds=math.ceil(wait_seconds))
