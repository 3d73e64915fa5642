"""How long to wait before starting again what ended: longer each time, until it stays up."""

from __future__ import annotations

INITIAL_SECONDS = 0.5
CEILING_SECONDS = 30.0
"""A broken part is tried twice a minute: soon after it is mended, without filling its log."""
STABLE_SECONDS = 30.0
"""Having run this long, a process counts as mended and the next failure as the first."""


def failures_in_a_row(failures: int, *, ran_seconds: float) -> int:
    """Return the count including a failure after ``ran_seconds``, given those before it."""
    return 1 if ran_seconds >= STABLE_SECONDS else failures + 1


def delay_seconds(failures: int) -> float:
    """Return the pause after the given number (>= 1) of failures in a row."""
    # The exponent is bounded so that months of failures cannot overflow a float.
    return min(CEILING_SECONDS, INITIAL_SECONDS * 2.0 ** min(failures - 1, 16))
