"""Taking a call: the checks in their order, each refusal told, logged and counted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from prometheus_client import Counter

from remediation import actuators, call, signature
from remediation.actuators import Temporary
from remediation.call import Call
from remediation.crew import Crew
from remediation.ledger import Entry, Ledger
from remediation.refusal import CallRefused, Outcome, unacceptable
from remediation.settings import EndpointSettings
from watchkeeper.clock import Clock
from watchkeeper.logs import get_logger

log = get_logger(__name__)


class Reception:
    """Decides on every call and hands those it takes to the crew.

    Args:
        ledger: where calls are written down before anyone is told that they are taken.
        crew: carries them out.
        settings: gives the settings in force.
        clock: for freshness and expiry.
        calls: counts calls by action and outcome.
    """

    def __init__(
        self,
        ledger: Ledger,
        crew: Crew,
        settings: Callable[[], EndpointSettings],
        *,
        clock: Clock,
        calls: Counter,
    ) -> None:
        self._ledger = ledger
        self._crew = crew
        self._settings = settings
        self._clock = clock
        self._calls = calls

    def receive(self, headers: Mapping[str, str], body: bytes) -> Entry:
        """Return the entry of the call in ``body``, new or that of an earlier attempt.

        Args:
            headers: by lower-case name.

        Raises:
            CallRefused: with the status to answer.
            StorageError: the call could not be written down, so it was not taken.
        """
        asked: Call | None = None
        try:
            self._verify(headers, body)
            asked = call.parse(body)
            require_possible(asked, self._settings())
            entry, is_new = self._ledger.take(asked, now=self._clock.now())
        except CallRefused as refused:
            self._note(asked, refused.outcome, str(refused), headers)
            raise
        self._note(asked, Outcome.ACCEPTED if is_new else Outcome.REPEATED, "", headers)
        if is_new:
            self._crew.take_on(entry)
        return entry

    def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        settings = self._settings()
        signature.verify(
            settings.secrets(),
            headers,
            body,
            now=self._clock.now(),
            tolerance_seconds=settings.tolerance,
        )

    def _note(
        self, asked: Call | None, outcome: Outcome, why: str, headers: Mapping[str, str]
    ) -> None:
        is_known = asked is not None and asked.action in actuators.ACTUATORS
        # A stranger's words must not become label values.
        self._calls.labels(asked.action if asked and is_known else "unknown", outcome).inc()
        facts = {"outcome": outcome, "why": why, "webhook_id": headers.get("webhook-id", "")[:100]}
        if asked is not None:
            facts |= {
                "action": asked.action,
                "target": asked.target,
                "idempotency_key": asked.idempotency_key,
                "fencing_token": str(asked.fencing_token),
                "incident": str(asked.incident.get("id", "")),
            }
        is_taken = outcome in (Outcome.ACCEPTED, Outcome.REPEATED)
        level = logging.INFO if is_taken else logging.WARNING
        log.log(level, "call taken" if is_taken else "call refused", extra=facts)


def require_possible(asked: Call, settings: EndpointSettings) -> None:
    """Raise CallRefused (422) for an action, target or parameter that is not allowed."""
    if asked.action not in actuators.ACTUATORS:
        known = ", ".join(actuators.ACTUATORS)
        raise unacceptable(f"action: {asked.action!r} is unknown; expected one of {known}")
    targets = settings.actions.targets_of(asked.action)
    if asked.target not in targets:
        allowed = ", ".join(targets) or "none"
        raise unacceptable(
            f"target: {asked.action} is not allowed for {asked.target!r}; allowed: {allowed}"
        )
    made = actuators.make(asked.action, asked.target, targets[asked.target], asked.parameters)
    if asked.revert and not isinstance(made, Temporary):
        raise unacceptable(f"revert: what {asked.action} does cannot be put back")
