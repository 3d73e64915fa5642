"""The one retry policy: when a failed delivery is tried again, and when it is given up."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

# Quick at first, for most outages are short; hourly after that, up to a day in all. The spacing is
# that of large webhook senders (Svix, Stripe), with the first retries closer together.
DELAYS_SECONDS = (0.0, 5.0, 30.0, 120.0, 300.0, 900.0)
HOURLY_SECONDS = 3600.0
GIVE_UP_AFTER_SECONDS = 24 * 3600.0
JITTER_RATIO = 0.2
MAX_RETRY_AFTER_SECONDS = 3600.0
"""A receiver that asks for more is not obeyed further: a message a day late helps nobody."""


def next_attempt_at(
    *,
    attempts_made: int,
    first_due_at: datetime,
    now: datetime,
    retry_after_seconds: float | None,
    rng: random.Random,
) -> datetime | None:
    """Return when to try again, or None to give up.

    Args:
        attempts_made: attempts so far, 1 or more.
        first_due_at: when the delivery was committed.
        now: the time of the failure.
        retry_after_seconds: the receiver's wish: a floor under the schedule, capped at an hour.
        rng: spreads the attempts of many deliveries by up to 20 % either way.
    """
    if (now - first_due_at).total_seconds() >= GIVE_UP_AFTER_SECONDS:
        return None
    delay = DELAYS_SECONDS[attempts_made] if attempts_made < len(DELAYS_SECONDS) else HOURLY_SECONDS
    delay *= 1 + rng.uniform(-JITTER_RATIO, JITTER_RATIO)
    if retry_after_seconds is not None:
        delay = max(delay, min(retry_after_seconds, MAX_RETRY_AFTER_SECONDS))
    return now + timedelta(seconds=delay)
