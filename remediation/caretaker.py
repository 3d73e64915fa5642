"""Sees to it that what was changed for a time is put back, as a call of our own in the ledger."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from remediation.call import Call
from remediation.crew import Crew
from remediation.ledger import Ledger
from remediation.returns import Return, Returns
from watchkeeper.clock import Clock
from watchkeeper.errors import StorageError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

LOOK_EVERY_SECONDS = 1.0

ROUND_EVERY_SECONDS = 5.0
"""Between two looks at whether what was changed still holds: a connection each."""

BEGIN_WITHIN = timedelta(hours=1)
"""Behind other work on the target; after this the next attempt is as good."""


class Caretaker:
    """A thread that hands the crew what is due.

    Args:
        returns: what is to be put back, and when.
        ledger: where each attempt is written down like any call.
        crew: carries it out, in its turn for the target.
        clock: says what is due.
    """

    def __init__(self, returns: Returns, ledger: Ledger, crew: Crew, *, clock: Clock) -> None:
        self._returns = returns
        self._ledger = ledger
        self._crew = crew
        self._clock = clock
        self._next_round_seconds = float("-inf")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="caretaker", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; what is due then is put back by the next start."""
        self._stopping.set()

    def look(self) -> None:
        """Hand over what is due now, and have the rest looked after."""
        now = self._clock.now()
        for due in self._returns.pending(due_by=now):
            entry, is_new = self._ledger.take_own(return_call(due, now=now), now=now)
            self._returns.attempted(due, now=now)
            if is_new:
                self._crew.take_on(entry)
        if self._clock.monotonic_seconds() >= self._next_round_seconds:
            self._next_round_seconds = self._clock.monotonic_seconds() + ROUND_EVERY_SECONDS
            for kept in self._returns.pending():
                self._crew.look_after(kept)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_SECONDS):
            try:
                self.look()
            except StorageError:
                # Nothing is lost: it is still written down as due, and looked for again.
                log.exception("the ledger cannot be used")


def return_call(due: Return, *, now: datetime) -> Call:
    """Return the call that puts a change back; its key is the same for the same attempt."""
    return Call(
        action=due.action,
        target=due.target,
        parameters=due.parameters,
        idempotency_key=f"return-{due.attempts + 1}-{due.made_by}",
        fencing_token=due.fencing_token,
        expires_at=now + BEGIN_WITHIN,
        revert=True,
    )
