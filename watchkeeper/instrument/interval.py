"""The time between two machines' clocks, with their disagreement shown instead of hidden."""

from __future__ import annotations

SKEW_TOLERANCE_SECONDS = 0.1
"""NTP keeps machines within tens of milliseconds (RFC 5905, section 1); less than this is zero."""


def between_clocks(start_seconds: float, end_seconds: float) -> float | None:
    """Return the seconds from one Unix time to another, or None when clocks must disagree.

    Args:
        start_seconds: Unix time by the clock where the interval began.
        end_seconds: Unix time by the clock where it ended.
    """
    elapsed_seconds = end_seconds - start_seconds
    if elapsed_seconds < -SKEW_TOLERANCE_SECONDS:
        return None
    return max(0.0, elapsed_seconds)
