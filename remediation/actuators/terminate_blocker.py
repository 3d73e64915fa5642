"""Ends the one session of a PostgreSQL server that others wait for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.lock_chain import Backend, Chain, choose, told
from remediation.postgres_session import Session, connected, once
from remediation.targets.postgres import BlockerTarget
from watchkeeper.errors import Reason, UpstreamError

LOOK = """
SELECT a.pid, a.backend_start AS started_at, coalesce(a.usename, '') AS user,
       coalesce(a.datname, '') AS database, a.backend_type AS kind,
       coalesce(a.state, '') AS state, coalesce(a.application_name, '') AS application,
       coalesce(r.rolsuper OR r.rolreplication, true) AS is_privileged,
       pg_blocking_pids(a.pid) AS blocked_by,
       (SELECT min(l.waitstart) FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted)
         AS waits_since
FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.pid <> pg_backend_pid() AND a.backend_start IS NOT NULL
"""
"""pg_locks.waitstart: PostgreSQL 14 or newer. A role that is not there counts as privileged."""

END = """
SELECT pg_terminate_backend(pid, %(wait_ms)s) AS is_ended FROM pg_stat_activity
WHERE pid = %(pid)s AND backend_start = %(started_at)s
  AND EXISTS (SELECT FROM pg_stat_activity w WHERE %(pid)s = ANY (pg_blocking_pids(w.pid)))
"""
"""A process id may have gone to another session since we looked: only the same one, and only while
somebody waits for it."""


class TerminateBlocker:
    """The root of the worst lock chain, within the limits of ``endpoint.yml``; one a call."""

    def __init__(self, target: str, allowed: BlockerTarget, parameters: Mapping[str, Any]) -> None:
        whole_numbers(parameters)
        self._target = target
        self._allowed = allowed

    def preview(self) -> Done:
        """Say which session would be ended, and who waits for it."""
        with self._connected() as session:
            chain, waited_seconds = self._choose(session)
        if chain is None:
            return self._nobody_waits()
        return Done(f"would end {_story(chain, waited_seconds)}", _facts(chain, waited_seconds))

    def perform(self, tell: Tell = in_silence) -> Done:
        """End it, and wait until it is gone."""
        with self._connected() as session:
            chain, waited_seconds = self._choose(session)
            if chain is None:
                return self._nobody_waits()
            story = _story(chain, waited_seconds)
            tell(f"ending {story}")
            wait_ms = round(self._allowed.time_limit * 1000 / 2)
            root = {"pid": chain.root.pid, "started_at": chain.root.started_at}
            with once():
                row = session.execute(END, {**root, "wait_ms": wait_ms}).fetchone()
        if row is None:
            return Done(f"{told(chain.root)} gave way by itself", _facts(chain, waited_seconds))
        if not row["is_ended"]:
            message = f"{told(chain.root)} was asked to end and is still there"
            raise UpstreamError(message, reason=Reason.TIMEOUT)
        return Done(f"ended {story}", _facts(chain, waited_seconds))

    def _choose(self, session: Session) -> tuple[Chain | None, float]:
        backends = [
            Backend(**{**row, "blocked_by": tuple(row["blocked_by"])})
            for row in session.execute(LOOK)
        ]
        now = _server_time(session)
        chain = choose(
            backends,
            now=now,
            users=self._allowed.users,
            databases=self._allowed.databases,
            minimum_wait_seconds=self._allowed.minimum_wait,
        )
        return chain, chain.longest_wait_seconds(now) if chain else 0.0

    def _connected(self) -> Any:
        limit_seconds = self._allowed.time_limit
        return connected(self._allowed.postgres, time_limit_seconds=limit_seconds)

    def _nobody_waits(self) -> Done:
        return Done(f"nobody waits for a session of {self._target}")


def _server_time(session: Session) -> datetime:
    row = session.execute("SELECT clock_timestamp() AS now").fetchone()
    assert row is not None  # noqa: S101  # narrows the type: it is one row
    now: datetime = row["now"]
    return now


def _story(chain: Chain, waited_seconds: float) -> str:
    waiting = f"{len(chain.waiting)} session(s) waited for, the longest {waited_seconds:.0f} s"
    return f"{told(chain.root)}, which {waiting}"


def _facts(chain: Chain, waited_seconds: float) -> dict[str, Any]:
    return {
        "pid": chain.root.pid,
        "user": chain.root.user,
        "database": chain.root.database,
        "waiting": [one.pid for one in chain.waiting],
        "waited_seconds": round(waited_seconds, 1),
    }
