"""Whether anybody listens where a server may be: all that can be told without asking it."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping

from agent.candidates import Candidate, candidates

CONNECT_SECONDS = 0.5
"""Everything tried without a name is on this machine."""


def is_listened_at(candidate: Candidate) -> bool:
    """Return whether somebody takes connections there; a Unix socket is named only if it exists."""
    host, port = candidate.arguments["host"], candidate.arguments["port"]
    if host.startswith("/"):
        return True
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except (OSError, ValueError):  # ValueError: a name that no name can be
        return False
    return True


def present(kinds: Collection[str], environment: Mapping[str, str]) -> frozenset[str]:
    """Return the names of the places for servers of ``kinds`` at which somebody listens."""
    found = (one for one in candidates(environment) if isinstance(one, Candidate))
    return frozenset(one.name for one in found if one.kind in kinds and is_listened_at(one))
