"""Doors through which the operator of this machine may look into the process and ease it.

A new one is a file here and a line in ``control_pages``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchkeeper.instrument.control.door import Door
from watchkeeper.instrument.control.garbage_collection import GarbageCollection
from watchkeeper.instrument.control.heap_snapshot import HeapSnapshot
from watchkeeper.instrument.control.log_level import LogLevel

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

GARBAGE_COLLECTION = "/control/garbage-collection"
HEAP_SNAPSHOT = "/control/heap-snapshot"
LOG_LEVEL = "/control/log-level"


def control_pages(token: str) -> dict[str, WSGIApplication]:
    """Return the pages by their paths, each behind a door that ``token`` opens.

    Raises:
        ValueError: the token has less than 24 characters.
    """
    return {
        GARBAGE_COLLECTION: Door(token, GarbageCollection()),
        HEAP_SNAPSHOT: Door(token, HeapSnapshot()),
        LOG_LEVEL: Door(token, LogLevel()),
    }
