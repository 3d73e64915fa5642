"""Numbers and spans of time as people read them."""

from __future__ import annotations

import math

from dashboards.spec import Unit

_SPANS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_DECIMAL = ("", "k", "M", "G", "T")


def span(seconds: float | None) -> str:
    """Return a span in its two largest units: ``1 min 20 s``, ``3 h``, ``0.8 s``, ``120 ms``."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 0:
        return f"−{span(-seconds)}"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 10:
        return f"{seconds:.2g} s"
    left, parts = round(seconds), []
    for name, size in _SPANS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
    return " ".join(parts[:2])


def quantity(value: float | None, unit: Unit = Unit.PLAIN) -> str:
    """Return ``value`` with three significant digits in ``unit``; a dash for no number."""
    if value is None or not math.isfinite(value):
        return "–"
    if unit is Unit.SECONDS:
        return span(value)
    if unit is Unit.RATIO:
        return f"{_digits(value * 100)} %"
    if unit in (Unit.BYTES, Unit.BYTES_PER_SECOND):
        return _scaled(value, 1024, _BINARY) + ("/s" if unit is Unit.BYTES_PER_SECOND else "")
    suffix = _SUFFIXES.get(unit, "")
    return _scaled(value, 1000, _DECIMAL).replace(" ", "") + suffix


_SUFFIXES = {
    Unit.REQUESTS_PER_SECOND: " req/s",
    Unit.OPERATIONS_PER_SECOND: " op/s",
    Unit.EVENTS_PER_SECOND: " /s",
}


def _scaled(value: float, base: int, names: tuple[str, ...]) -> str:
    size = abs(value)
    step = 0
    while size >= base and step < len(names) - 1:
        size /= base
        step += 1
    return f"{_digits(math.copysign(size, value))} {names[step]}".rstrip()


def _digits(value: float) -> str:
    if value != 0 and abs(value) < 0.001:
        return f"{value:.2g}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
