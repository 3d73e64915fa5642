"""The unit of what an expression measures, as the catalogue knows it."""

from __future__ import annotations

from functools import lru_cache

from dashboards.expression import unit_of
from dashboards.spec import Unit
from watchkeeper.catalogue import every_metric

UNITS = {"seconds": Unit.SECONDS, "bytes": Unit.BYTES, "ratio": Unit.RATIO}
"""The catalogue's base units as panels write them."""


@lru_cache(maxsize=512)
def measured_in(expression: str) -> Unit:
    """Return the unit of an expression's values; plain where that is not clear."""
    return UNITS.get(unit_of(expression, every_metric()), Unit.PLAIN)
