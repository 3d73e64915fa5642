"""How many connections a service holds at once: never more than it has descriptors for."""

from __future__ import annotations

import resource

MAX_CONNECTIONS = 500

RESERVED_DESCRIPTORS = 128
"""For databases, logs and calls to others; where there are few, half of them are."""


def connection_limit(descriptors: int) -> int:
    """Return how many connections to hold where a process may have so many descriptors.

    Beyond it nobody is taken up until somebody leaves; without descriptors each attempt would fail
    instead, as often as the loop turns, with a traceback in the log each time.
    """
    reserved = min(RESERVED_DESCRIPTORS, descriptors // 2)
    return max(1, min(MAX_CONNECTIONS, descriptors - reserved))


def descriptors_allowed() -> int:
    """Return how many descriptors this process may have; as many as matter where nothing says."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = MAX_CONNECTIONS + RESERVED_DESCRIPTORS
    return enough if allowed == resource.RLIM_INFINITY else allowed
