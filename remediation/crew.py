"""Who carries calls out: one thread for each target, so that a target has one action at a time."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from prometheus_client import Counter, Histogram

from remediation import actuators
from remediation.actuators import Actuator, Held
from remediation.deed import OutcomeUnknown
from remediation.ledger import Entry, Ledger, State
from remediation.returns import Return, Returns
from remediation.settings import EndpointSettings
from remediation.work import Worked, carry_out
from watchkeeper.clock import Clock
from watchkeeper.errors import Refused, StorageError, WatchkeeperError
from watchkeeper.foreign_text import storable
from watchkeeper.logs import get_logger
from watchkeeper.storage import is_of_the_database

log = get_logger(__name__)

Job = Callable[[], None]
T = TypeVar("T")

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 10.0
"""Between attempts to write to a ledger that another keeps busy, or whose disk is full."""


class Crew:
    """Carries out what the ledger has accepted, in order for each target.

    Args:
        ledger: told of every step.
        returns: what was changed for a time.
        settings: gives the settings in force; asked again when a call's turn comes.
        clock: says whether a call has expired meanwhile, and how long it took.
        calls: counts finished calls, by action and outcome.
        seconds: observes how long actuators work, by action.
    """

    def __init__(
        self,
        ledger: Ledger,
        returns: Returns,
        settings: Callable[[], EndpointSettings],
        *,
        clock: Clock,
        calls: Counter,
        seconds: Histogram,
    ) -> None:
        self._ledger = ledger
        self._returns = returns
        self._settings = settings
        self._clock = clock
        self._calls = calls
        self._seconds = seconds
        self._lanes: dict[str, queue.SimpleQueue[Job]] = {}
        self._lock = threading.Lock()

    def take_on(self, entry: Entry) -> None:
        """Carry ``entry`` out once what was accepted earlier for its target is done."""
        self._lane(entry.target).put(partial(self._carry_out, entry))

    def look_after(self, kept: Return) -> None:
        """Make a change again that was forgotten, unless the target has other work to wait for."""
        lane = self._lane(kept.target)
        if lane.empty():
            lane.put(partial(self._hold, kept))

    def _lane(self, target: str) -> queue.SimpleQueue[Job]:
        with self._lock:
            if target not in self._lanes:
                lane: queue.SimpleQueue[Job] = queue.SimpleQueue()
                # A daemon: what runs when we end is found in the ledger and marked interrupted.
                threading.Thread(
                    target=self._work, args=(lane,), name=f"lane {target}", daemon=True
                ).start()
                self._lanes[target] = lane  # only now: one without a thread would swallow calls
            return self._lanes[target]

    def _work(self, lane: queue.SimpleQueue[Job]) -> None:
        while True:
            job = lane.get()
            try:
                job()
            except Exception:  # the boundary of a lane: what comes next must have its turn
                log.exception("a job broke")

    def _insist(self, write: Callable[[], T]) -> T:
        """Write to the ledger, however long that takes: what was accepted is not forgotten.

        Raises:
            StorageError: it cannot be written at any time.
        """
        pause_seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                return write()
            except StorageError as error:
                if not is_of_the_database(error):
                    raise
                log.warning("the ledger cannot be written; trying again", extra={"why": str(error)})
            time.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_RETRY_SECONDS)

    def _begin(self, entry: Entry) -> bool:
        """Note that it is begun; return False if it is too late, or not ours to do."""
        if entry.has_expired(self._clock.now()):
            self._finish(entry, State.FAILED, error="expired while it waited for its turn")
            return False
        return self._ledger.begin(entry.idempotency_key)

    def _carry_out(self, entry: Entry) -> None:
        if not self._insist(partial(self._begin, entry)):
            return
        log.info("action begun", extra=_facts(entry))
        began_seconds = self._clock.monotonic_seconds()
        try:
            worked = self._act(entry)
        except OutcomeUnknown as error:
            self._finish(entry, State.INTERRUPTED, error=str(error))
        except WatchkeeperError as error:
            self._finish(entry, State.FAILED, error=str(error))
        except Exception as error:  # the boundary of an actuator: one must not stop the others
            log.exception("actuator broke", extra=_facts(entry))
            self._finish(entry, State.FAILED, error=f"unexpected {type(error).__name__}: {error}")
        else:
            self._finish(entry, State.SUCCEEDED, worked=worked)
        finally:
            took_seconds = self._clock.monotonic_seconds() - began_seconds
            self._seconds.labels(entry.action).observe(took_seconds)

    def _hold(self, kept: Return) -> None:
        if self._returns.find(kept.action, kept.target) != kept:
            return  # put back or prolonged while this waited for its turn
        facts = {"action": kept.action, "target": kept.target}
        try:
            actuator = self._actuator(kept)
            state = actuator.hold(kept.state) if isinstance(actuator, Held) else None
        except Exception as error:  # noqa: BLE001  # an actuator's boundary; looked at again soon
            told = {**facts, "why": f"{type(error).__name__}: {error}"}
            log.warning("cannot see whether a change still holds", extra=told)
            return
        if state is not None:
            self._returns.keep(replace(kept, state=state))
            log.warning("a change was forgotten and is made again", extra=facts)

    def _actuator(self, asked: Entry | Return) -> Actuator:
        allowed = self._settings().actions.targets_of(asked.action).get(asked.target)
        if allowed is None:
            raise Refused(f"{asked.action} of {asked.target} is no longer allowed")
        return actuators.make(asked.action, asked.target, allowed, asked.parameters)

    def _act(self, entry: Entry) -> Worked:
        actuator = self._actuator(entry)
        tell = partial(self._tell, entry.idempotency_key)
        return carry_out(actuator, entry, self._returns, clock=self._clock, tell=tell)

    def _tell(self, key: str, progress: str) -> None:
        try:
            self._ledger.progress(key, progress)
        except StorageError as error:  # no reason to stop in the middle of an action
            log.warning("progress not written", extra={"progress": progress, "why": str(error)})

    def _finish(
        self, entry: Entry, state: State, *, worked: Worked | None = None, error: str = ""
    ) -> None:
        summary = worked.done.summary if worked else ""
        ended = partial(
            self._ledger.finish,
            entry.idempotency_key,
            state,
            now=self._clock.now(),
            summary=storable(summary),
            error=storable(error),
            put_back=worked.put_back if worked else None,
        )
        try:
            self._insist(partial(ended, detail=worked.done.detail if worked else None))
        except StorageError as flaw:
            # That it ended matters more than what an actuator found worth telling of it.
            log.exception("the detail of an action cannot be kept", extra=_facts(entry))
            self._insist(partial(ended, detail={"not_kept": str(flaw)}))
        self._calls.labels(entry.action, state).inc()
        told = {**_facts(entry), "state": state, "summary": summary, "error": error}
        log.log(
            logging.INFO if state is State.SUCCEEDED else logging.WARNING,
            "action ended",
            extra=told,
        )


def _facts(entry: Entry) -> dict[str, object]:
    return {
        "action": entry.action,
        "target": entry.target,
        "idempotency_key": entry.idempotency_key,
        "fencing_token": entry.fencing_token,
        "dry_run": entry.dry_run,
        "revert": entry.revert,
    }
