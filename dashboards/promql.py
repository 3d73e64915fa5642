"""The few shapes of PromQL the boards are made of, over catalogue metrics.

``matching`` is what stands between the braces; ``by`` the labels kept. The window is Grafana's
``$__rate_interval``, which the console fills the same way.
"""

from __future__ import annotations

from watchkeeper.catalogue import Metric

WINDOW = "$__rate_interval"
"""At least four scrapes and one step wide, so that a rate never falls between samples."""

SPAN = "$__range"
"""The whole time range on show; for tables, which have no time axis of their own."""


def series(metric: Metric | str, matching: str = "") -> str:
    """Return a selector."""
    return f"{metric}{{{matching}}}" if matching else str(metric)


def rate(metric: Metric | str, matching: str = "", *, window: str = WINDOW) -> str:
    """Return the increase a second of each series."""
    return f"rate({series(metric, matching)}[{window}])"


def total(expression: str, *, by: str = "") -> str:
    """Return the sum of ``expression``."""
    return f"sum by ({by}) ({expression})" if by else f"sum({expression})"


def largest(expression: str, *, by: str = "") -> str:
    """Return the maximum of ``expression``."""
    return f"max by ({by}) ({expression})" if by else f"max({expression})"


def mean(histogram: Metric, matching: str = "", *, by: str = "") -> str:
    """Return the mean of what a histogram observed over the window; NaN where nothing was."""
    sums = total(rate(histogram.sum, matching), by=by)
    counts = total(rate(histogram.count, matching), by=by)
    return f"{sums} / {counts}"


def quantile(ratio: float, histogram: Metric, matching: str = "", *, by: str = "") -> str:
    """Return the ``ratio`` (0 to 1) quantile of what a histogram observed over the window."""
    kept = f"{by}, le" if by else "le"
    return f"histogram_quantile({ratio:g}, {total(rate(histogram.bucket, matching), by=kept)})"


def share(part: str, whole: str) -> str:
    """Return ``part`` of ``whole`` as a ratio; 0 where nothing of ``whole`` is ``part``."""
    return f"({part} or {whole} * 0) / {whole}"


def newly_counted(counter: Metric, window: str) -> str:
    """Return the series of ``counter`` that grew within ``window``, those that began to exist too.

    ``increase`` alone misses the first event of a series: it has nothing to compare it with.
    """
    return f"(increase({counter}[{window}]) > 0) or ({counter} unless {counter} offset {window})"


def counted(counter: Metric | str, window: str) -> str:
    """Return by how much each series of a rare event grew within ``window``.

    ``increase`` misses what a series begins with, and the first event is the one that matters. A
    restart within the window hides what was counted before it.
    """
    return f"clamp_min({counter} - ({counter} offset {window} or {counter} * 0), 0)"


def ratio(part: str, whole: str) -> str:
    """Return ``part`` by ``whole`` where there is any of ``whole``."""
    return f"{part} / ({whole} > 0)"
