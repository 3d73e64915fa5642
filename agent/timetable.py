"""When a collector runs next. Pure: the present comes as an argument."""

from __future__ import annotations

import math

MAX_BACKOFF_SECONDS = 30.0
"""However often it failed, a collector is tried again within this time (or its interval, when
longer), so that a server that came back is seen soon."""


def backoff_seconds(interval_seconds: float, failures: int) -> float:
    """Return the time between runs after ``failures`` (>= 0) failures in a row.

    The first failure costs nothing; each further one doubles the interval.
    """
    longest = max(interval_seconds, MAX_BACKOFF_SECONDS)
    doublings = min(max(failures - 1, 0), 16)
    return min(interval_seconds * 2.0**doublings, longest)


def next_due_seconds(
    previous_due_seconds: float, now_seconds: float, interval_seconds: float, failures: int
) -> float:
    """Return when to run after the run that was due at ``previous_due_seconds``.

    Runs keep their phase, so that scrapes at the same interval see samples of one age; runs that
    were missed are skipped, never made up for.
    """
    due = previous_due_seconds + backoff_seconds(interval_seconds, failures)
    if due > now_seconds:
        return due
    return now_seconds + interval_seconds - math.fmod(now_seconds - due, interval_seconds)
