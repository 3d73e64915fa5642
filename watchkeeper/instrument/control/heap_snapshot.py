"""Tells which types of objects fill the memory."""

from __future__ import annotations

import gc
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from watchkeeper.instrument.control.resident import resident_bytes

MOST_TYPES = 25


class HeapSnapshot:
    """Counts what the collector tracks: containers and instances, by type.

    Strings and numbers are no objects of the collector's; what holds them is. The bytes are each
    object's own (sys.getsizeof), without what it refers to.
    """

    def look(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return how many objects there are, without looking at each."""
        return {"tracked": len(gc.get_objects()), "resident_bytes": resident_bytes()}

    def act(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        """Count them; the program goes on between two objects, and is slower meanwhile."""
        began = time.perf_counter()
        counts: dict[type, list[int]] = defaultdict(lambda: [0, 0])
        objects = gc.get_objects()
        for one in objects:
            entry = counts[type(one)]
            entry[0] += 1
            entry[1] += _own_bytes(one)
        largest = sorted(counts.items(), key=lambda item: -item[1][1])[:MOST_TYPES]
        return {
            "objects": len(objects),
            "types": [
                {"type": f"{kind.__module__}.{kind.__qualname__}", "count": count, "bytes": size}
                for kind, (count, size) in largest
            ],
            "seconds": time.perf_counter() - began,
            "resident_bytes": resident_bytes(),
        }


def _own_bytes(one: object) -> int:
    try:
        return sys.getsizeof(one, 0)
    except Exception:  # noqa: BLE001  # a __sizeof__ of the application's, which may do anything
        return 0
