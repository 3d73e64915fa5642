"""The boundary that keeps a fault of an instrument out of the application's work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from watchkeeper.catalogue import process

log = logging.getLogger(__name__)


class Guard:
    """Counts what fails inside an instrument, logs it once a part, and lets the work go on."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._errors = process.INSTRUMENT_ERRORS.counter(registry)
        self._logged: set[str] = set()

    @contextmanager
    def around(self, part: str) -> Iterator[None]:
        """Contain any Exception of the block; only instrument code may stand inside it.

        Args:
            part: the instrument, from a fixed set; a label.
        """
        try:
            yield
        except Exception:  # supervised boundary: a measurement never breaks work
            self._errors.labels(part).inc()
            if part not in self._logged:
                self._logged.add(part)
                log.warning(
                    "instrument %s failed; further failures are only counted", part, exc_info=True
                )
