"""Has a PostgreSQL server log its slow statements for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import shorter, whole_numbers
from remediation.postgres_session import Session, connected
from remediation.refusal import unacceptable
from remediation.targets.postgres import SlowLogTarget
from watchkeeper.errors import Reason, UpstreamError

SETTING = "log_min_duration_statement"
"""In milliseconds; -1 is off, 0 logs everything."""

LOOK_AGAIN_SECONDS = 0.05
"""A reload reaches a session when it is next idle: some milliseconds."""

READ = "SELECT setting, source, sourcefile FROM pg_settings WHERE name = %s"


@dataclass(frozen=True, slots=True)
class Found:
    """What the server has now: the value in force, and what ALTER SYSTEM has set, if anything."""

    milliseconds: int
    own: int | None

    def logs_from(self, threshold_ms: int) -> bool:
        """Return whether every statement of at least the threshold is logged already."""
        return 0 <= self.milliseconds <= threshold_ms


class LogSlowQueries:
    """By ALTER SYSTEM, so that it holds at once for every session; ``seconds`` ends it sooner."""

    def __init__(self, target: str, allowed: SlowLogTarget, parameters: Mapping[str, Any]) -> None:
        given = whole_numbers(parameters, "threshold_ms", "seconds")
        lowest_ms = round(allowed.threshold * 1000)
        self._threshold_ms = given.get("threshold_ms", lowest_ms)
        self.lasts_seconds = shorter(allowed.lasts, given)
        if self._threshold_ms < lowest_ms:
            raise unacceptable(f"parameters.threshold_ms: expected at least {lowest_ms}")
        self._target = target
        self._allowed = allowed

    def preview(self) -> Done:
        """Say what is logged now and what would be."""
        found = self._look()
        return Done(
            f"would have {self._target} log statements from {self._threshold_ms} ms for "
            f"{self.lasts_seconds:g} s; now {_told(found.milliseconds)}",
            {"before_ms": found.milliseconds},
        )

    def state(self, kept: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return what ALTER SYSTEM had set before us, and what we set; null for nothing."""
        found = self._look()
        is_ours = kept is not None and found.milliseconds == kept["set_ms"]
        if found.logs_from(self._threshold_ms):
            return {"own": found.own, "set_ms": None} if not is_ours else dict(kept or {})
        own = kept["own"] if kept is not None and is_ours else found.own
        return {"own": own, "set_ms": self._threshold_ms}

    def perform(self, tell: Tell = in_silence) -> Done:
        """Set the threshold, and read it back from the running server."""
        with self._connected() as session:
            before = _read(session)
            if before.logs_from(self._threshold_ms):
                told = f"{self._target} already {_told(before.milliseconds)}"
                return Done(told, {"after_ms": before.milliseconds})
            tell("setting the threshold, waiting until it is in force")
            try:
                self._set(session, self._threshold_ms)
            except (UpstreamError, psycopg.Error):
                self._set(session, before.own)  # what is not in force must not come with a restart
                raise
        return Done(
            f"{self._target} logs statements from {self._threshold_ms} ms for "
            f"{self.lasts_seconds:g} s",
            {"before_ms": before.milliseconds, "after_ms": self._threshold_ms},
        )

    def revert(self, state: Mapping[str, Any]) -> Done:
        """Put back what ALTER SYSTEM had set before, or take our own out."""
        with self._connected() as session:
            found = _read(session)
            if state["set_ms"] is None or found.own != state["set_ms"]:
                return Done(f"left {self._target} as it is: it {_told(found.milliseconds)}")
            self._set(session, state["own"])
            after = _read(session)
        return Done(f"{self._target} {_told(after.milliseconds)} again", {"own": state["own"]})

    def _look(self) -> Found:
        with self._connected() as session:
            return _read(session)

    def _connected(self) -> Any:
        limit_seconds = self._allowed.time_limit
        return connected(self._allowed.postgres, time_limit_seconds=limit_seconds)

    def _set(self, session: Session, own: int | None) -> None:
        name = sql.SQL(SETTING)
        change = sql.SQL("ALTER SYSTEM RESET {}").format(name)
        if own is not None:
            change = sql.SQL("ALTER SYSTEM SET {} = {}").format(name, sql.Literal(own))
        session.execute(change)
        session.execute("SELECT pg_reload_conf()")
        _wait(lambda: _read(session).own == own, self._allowed.time_limit)


def _read(session: Session) -> Found:
    row = session.execute(READ, [SETTING]).fetchone()
    assert row is not None  # noqa: S101  # narrows the type: every server has the setting
    if row["source"] == "configuration file" and row["sourcefile"] is None:
        raise UpstreamError(
            "cannot see where the setting comes from: grant pg_read_all_settings to the role",
            reason=Reason.PERMISSION,
        )
    is_own = (row["sourcefile"] or "").endswith("postgresql.auto.conf")
    milliseconds = int(row["setting"])
    return Found(milliseconds, milliseconds if is_own else None)


def _wait(is_so: Callable[[], bool], limit_seconds: float) -> None:
    deadline_seconds = time.monotonic() + limit_seconds
    while not is_so():
        if time.monotonic() > deadline_seconds:
            raise UpstreamError(
                f"{SETTING} is not in force {limit_seconds:g} s after it was set: the command "
                "line, the database or the role sets another value",
                reason=Reason.TIMEOUT,
            )
        time.sleep(LOOK_AGAIN_SECONDS)


def _told(milliseconds: int) -> str:
    return "logs no slow statements" if milliseconds < 0 else f"logs those from {milliseconds} ms"
