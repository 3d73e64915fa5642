"""Who blocks whom: the sessions at the root of chains of waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MAX_ROOTS = 5
"""Root blockers told of, those that hold up the most sessions; each has labels of its own."""


def root_blockers(blockers: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Return how many sessions each root blocker holds up, directly or through others.

    Args:
        blockers: by number of a session that waits, those it waits for.

    Returns:
        by number of a session that blocks and does not wait itself. Sessions that wait for
        each other in a circle have no root; the server breaks such a circle soon.
    """
    held_up: dict[int, set[int]] = {}
    for waiting in blockers:
        seen: set[int] = set()
        ahead = list(blockers[waiting])
        while ahead:
            pid = ahead.pop()
            if pid in seen:
                continue
            seen.add(pid)
            if pid in blockers:
                ahead += blockers[pid]
            else:
                held_up.setdefault(pid, set()).add(waiting)
    return {pid: len(sessions) for pid, sessions in held_up.items()}


def worst(roots: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return the roots that hold up the most sessions, at most ``MAX_ROOTS``, worst first."""
    return sorted(roots.items(), key=lambda item: (-item[1], item[0]))[:MAX_ROOTS]
