"""Has the process collect its garbage."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import Any

from watchkeeper.instrument.control.resident import resident_bytes


class GarbageCollection:
    """A full collection; it stops the program while it runs."""

    def look(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return how many objects there are to look through."""
        return {"tracked": len(gc.get_objects()), "resident_bytes": resident_bytes()}

    def act(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        """Collect, and return what that brought."""
        before_bytes = resident_bytes()
        began = time.perf_counter()
        unreachable = gc.collect()
        return {
            "unreachable": unreachable,
            "uncollectable": len(gc.garbage),
            "seconds": time.perf_counter() - began,
            "resident_bytes_before": before_bytes,
            "resident_bytes_after": resident_bytes(),
        }
