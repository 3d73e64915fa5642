"""Who holds up whom on a PostgreSQL server, and which session may be ended for that."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.errors import Refused


@dataclass(frozen=True, slots=True)
class Backend:
    """One session, as pg_stat_activity, pg_roles and pg_locks tell of it.

    Attributes:
        blocked_by: process ids of those it waits for; 0 stands for a prepared transaction.
        waits_since: since when it waits for a lock; None when it does not.
        is_privileged: a superuser or a role that may replicate.
    """

    pid: int
    started_at: datetime
    user: str
    database: str
    kind: str
    state: str
    application: str
    is_privileged: bool
    blocked_by: tuple[int, ...] = ()
    waits_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """A session that waits for nobody, and all who wait for it, directly or through others."""

    root: Backend
    waiting: tuple[Backend, ...]

    def longest_wait_seconds(self, now: datetime) -> float:
        """Return for how long the first of those who wait has waited; 0 when none says."""
        since = [one.waits_since for one in self.waiting if one.waits_since is not None]
        return max(0.0, (now - min(since)).total_seconds()) if since else 0.0


def chains(backends: Sequence[Backend]) -> list[Chain]:
    """Return every lock chain, the one that holds up most sessions first.

    Sessions that wait for each other in a circle have no root; the server itself ends one of them
    after deadlock_timeout.
    """
    roots = [one for one in backends if not one.blocked_by]
    found = [Chain(root, tuple(_waiting_for(root.pid, backends))) for root in roots]
    return sorted(
        (chain for chain in found if chain.waiting),
        key=lambda chain: (-len(chain.waiting), chain.root.pid),
    )


def choose(
    backends: Sequence[Backend],
    *,
    now: datetime,
    users: Collection[str],
    databases: Collection[str],
    minimum_wait_seconds: float,
) -> Chain | None:
    """Return the chain whose root is to be ended; None when nobody waits for a session.

    The worst chain only: ending a lesser one because the worst is protected would be busyness.

    Raises:
        Refused: its root must not be ended, or nobody has waited for it long enough.
    """
    worst = next(iter(chains(backends)), None)
    if worst is None:
        return None
    root = worst.root
    if root.kind != "client backend" or root.is_privileged:
        raise Refused(f"{told(root)} is never ended: a superuser, replication or the server itself")
    if root.user not in users or root.database not in databases:
        raise Refused(f"{told(root)} is not among the users and databases allowed")
    waited_seconds = worst.longest_wait_seconds(now)
    if waited_seconds < minimum_wait_seconds:
        raise Refused(
            f"{told(root)} is waited for since {waited_seconds:.0f} s; "
            f"it may be ended after {minimum_wait_seconds:g} s"
        )
    return worst


def told(backend: Backend) -> str:
    """Return a session in words; never its statement, which may hold what is nobody's business."""
    return (
        f"session {backend.pid} of {backend.user or 'the server'} in "
        f"{backend.database or 'no database'} ({backend.application or backend.kind}, "
        f"{backend.state or 'no state'})"
    )


def _waiting_for(pid: int, backends: Sequence[Backend]) -> list[Backend]:
    reached = {pid}
    waiting: list[Backend] = []
    grew = True
    while grew:
        more = [one for one in backends if one.pid not in reached and reached & set(one.blocked_by)]
        reached |= {one.pid for one in more}
        waiting += more
        grew = bool(more)
    return waiting
