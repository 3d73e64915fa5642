"""One fault from injection to verified recovery, watched only through the public APIs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from watchkeeper.clock import Clock
from watchkeeper.errors import UpstreamError, WatchkeeperError
from watchkeeper.gameday.incidents import FiringAlert, Source, View, read_view
from watchkeeper.gameday.plan import Fault, GamedayPlan, Step

POLL_SECONDS = 0.5
"""Detection and recovery are seen at most this much later than they happened."""

AWAY_SECONDS = 60.0
"""A part that was killed is back within its back-off and its start."""

Tell = Callable[[str], None]


class Stopped(WatchkeeperError):  # noqa: N818  # it names what happened
    """A person, or the system, asked for an end before the game day was over."""

    def __init__(self) -> None:
        super().__init__("the game day was stopped")


class Breaker(Protocol):
    """Carries out the steps of a plan on the watched system."""

    def do(self, step: Step) -> None:
        """Do it now; raise WatchkeeperError when it could not be done."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fault. Seconds count from the injection; None means it did not happen."""

    fault: str
    detected_by: str | None
    seconds_to_detect: float | None
    action: str | None
    seconds_to_recover: float | None
    recovered: bool
    quiet_false_alarms: int
    injected_at: datetime
    problem: str | None = None

    @property
    def passed(self) -> bool:
        """Whether it was found, mended (by its action, if it has one), and all else was well."""
        return self.detected_by is not None and self.recovered and self.problem is None


class Drill:
    """Injects the faults of a plan one after the other.

    Args:
        plan: what to break and what to expect.
        alerting: read for incidents.
        anomaly: read for the readiness of its queries.
        breaker: carries out injections.
        clock: the machine's.
        tell: called with one line of progress at a time.
        stop: set it to leave early.
    """

    def __init__(
        self,
        plan: GamedayPlan,
        *,
        alerting: Source,
        anomaly: Source,
        breaker: Breaker,
        clock: Clock,
        tell: Tell,
        stop: threading.Event,
    ) -> None:
        self._plan = plan
        self._alerting = alerting
        self._anomaly = anomaly
        self._breaker = breaker
        self._clock = clock
        self._tell = tell
        self._stop = stop
        self._last_line = ""

    def warm_up(self) -> None:
        """Wait until the detectors are ready and nothing is wrong already.

        Raises:
            WatchkeeperError: not within ``warm_up_within``; says what is still missing.
        """
        missing = "not asked yet"

        def is_warm() -> bool:
            nonlocal missing
            missing = self._missing_for_start()
            return not missing

        self._tell("waiting until the detectors are ready")
        if not self._wait(is_warm, self._plan.warm_up_within, progress=lambda: missing):
            limit = self._plan.warm_up_within
            raise WatchkeeperError(f"not ready to begin after {limit:g} s: {missing}")

    def _missing_for_start(self) -> str:
        queries = {
            query["name"]: query for query in self._anomaly.get("/api/v1/queries")["queries"]
        }
        for name in self._plan.ready_queries:
            state = queries.get(name, {}).get("state", "unknown")
            if state != "ready":
                return f"anomaly query {name} is {state}"
        if not self._view().is_quiet(self._plan.services):
            return "an incident is still open"
        return ""

    def run(self, name: str, fault: Fault, *, quiet_seconds: float) -> Outcome:
        """Watch the quiet, inject ``fault``, follow it to its end and clear up.

        A step that cannot be carried out is the outcome's problem, never the end of the day.

        Raises:
            Stopped: ``stop`` was set; the fault has been cleared up.
            UpstreamError: alerting stays away.
        """
        self._tell(f"{name}: {quiet_seconds:g} quiet seconds first")
        false_alarms = self._count_alarms(quiet_seconds)
        before = self._see().alerts()
        injected_at = self._clock.now()
        found, found_seconds, mended_seconds = None, None, None
        problems: list[str] = []
        try:
            self._breaker.do(fault.inject)
            self._tell(f"{name}: injected. {fault.description}")
            found, found_seconds = self._detection(fault, before, injected_at)
            mended_seconds = self._mending(fault, before, injected_at) if found else None
        except UpstreamError as error:
            problems.append(str(error))
        finally:
            problems += self._clear(fault)
        problems += self._forbidden(fault, before)
        ended = self._wait(lambda: self._view().is_quiet(self._plan.services), fault.recover_within)
        if not ended:
            problems.append("an incident is still open after clearing up")
        return Outcome(
            fault=name,
            detected_by=found.detected_by if found else None,
            seconds_to_detect=found_seconds,
            action=fault.action,
            seconds_to_recover=mended_seconds,
            recovered=ended and (fault.action is None or mended_seconds is not None),
            quiet_false_alarms=false_alarms,
            injected_at=injected_at,
            problem="; ".join(problems) or None,
        )

    def _count_alarms(self, quiet_seconds: float) -> int:
        known = self._see().alerts()
        self._wait(lambda: False, quiet_seconds)
        new = self._see().alerts(self._plan.services) - known
        for alert in new:
            self._tell(f"false alarm: {alert.detected_by} {alert.labels}")
        return len(new)

    def _detection(
        self, fault: Fault, before: set[FiringAlert], injected_at: datetime
    ) -> tuple[FiringAlert | None, float | None]:
        found: list[FiringAlert] = []

        def is_found() -> bool:
            new = self._view().alerts(self._plan.services) - before
            found.extend(alert for alert in new if fault.is_found_by(alert.labels))
            return bool(found)

        if not self._wait(is_found, fault.detect_within):
            self._tell(f"  not detected within {fault.detect_within:g} s")
            return None, None
        seconds = self._since(injected_at)
        self._tell(f"  detected after {seconds:.1f} s by {found[0].detected_by}")
        return found[0], seconds

    def _mending(
        self, fault: Fault, before: set[FiringAlert], injected_at: datetime
    ) -> float | None:
        if fault.action is None:
            return None

        def is_verified() -> bool:
            view = self._view()
            new = view.alerts(self._plan.services) - before
            ours = {alert.incident_id for alert in new if fault.is_found_by(alert.labels)}
            entries = view.entries_since(injected_at, "verified", ours)
            return any(fault.is_mended_by(entry.get("detail") or {}) for entry in entries)

        if not self._wait(is_verified, fault.recover_within):
            self._tell(f"  {fault.action}: no verified recovery within {fault.recover_within:g} s")
            return None
        seconds = self._since(injected_at)
        self._tell(f"  {fault.action}: recovery verified after {seconds:.1f} s")
        return seconds

    def _forbidden(self, fault: Fault, before: set[FiringAlert]) -> list[str]:
        fired = {alert.name for alert in self._see().alerts(self._plan.services) - before}
        wrong = sorted(fired.intersection(fault.forbidden_alerts))
        return [f"{', '.join(wrong)} fired and must not"] if wrong else []

    def _clear(self, fault: Fault) -> list[str]:
        """Take every step back, also after one that could not be; return what could not."""
        problems = []
        for step in fault.clear:
            try:
                self._breaker.do(step)
            except UpstreamError as error:
                problems.append(f"not cleared up: {error}")
        return problems

    def _since(self, moment: datetime) -> float:
        return (self._clock.now() - moment).total_seconds()

    def _view(self) -> View:
        return read_view(self._alerting)

    def _see(self) -> View:
        """Return what is going on; alerting may be away for a moment, as any part may."""
        seen: list[View] = []

        def is_seen() -> bool:
            seen.append(self._view())
            return True

        if not self._wait(is_seen, AWAY_SECONDS):
            raise UpstreamError(f"alerting gave no answer for {AWAY_SECONDS:g} s")
        return seen[0]

    def _wait(
        self,
        is_done: Callable[[], bool],
        within_seconds: float,
        *,
        progress: Callable[[], str] | None = None,
    ) -> bool:
        """Poll until done or late. A service that is down for a moment is asked again."""
        deadline = self._clock.monotonic_seconds() + within_seconds
        while self._clock.monotonic_seconds() < deadline:
            if self._stop.is_set():
                raise Stopped
            try:
                if is_done():
                    return True
                line = progress() if progress is not None else self._last_line
            except UpstreamError as error:
                line = str(error)
            self._tell_change(line)
            self._stop.wait(POLL_SECONDS)
        return False

    def _tell_change(self, line: str) -> None:
        if line != self._last_line:
            self._last_line = line
            self._tell(f"  {line}")
