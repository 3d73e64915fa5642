"""Makes the deliveries of one receiver, one attempt after another."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection, Engine

from alerting import messages, outbox, timeline
from alerting.attempt import Attempt, Outcome
from alerting.breaker import Breaker
from alerting.notifiers.notifier import Digester, Message, NotDelivered, Notifier
from alerting.outbox import Claim
from alerting.pipeline import Event
from alerting.retry import next_attempt_at
from alerting.settings import AlertingSettings
from alerting.stages.notify import muted_incidents
from alerting.telemetry import Telemetry
from watchkeeper.clock import Clock, parse_rfc3339
from watchkeeper.errors import Reason
from watchkeeper.logs import get_logger
from watchkeeper.storage import reading, writing

log = get_logger(__name__)

Parcel = list[Claim]
"""What goes out in one call: one message, or all that a digest tells of."""

MUTED_PAUSE_SECONDS = 15.0
"""A first message that waited, of what is silenced now, is looked at again so much later."""

ATTEMPTS_IN_A_ROW = 3
"""Attempts one after the other in a round; with their time limits they must fit into the lease."""


class Courier:
    """Claims, sends and settles for one receiver; a slow receiver therefore delays only itself.

    Args:
        receiver: the receiver's name.
        notifier: returns the notifier in force, or None while the receiver is not configured.
        settings: returns the settings in force.
        chart: returns a PNG of what happened in an incident, or nothing.
    """

    def __init__(
        self,
        receiver: str,
        notifier: Callable[[], Notifier | None],
        *,
        settings: Callable[[], AlertingSettings],
        engine: Engine,
        clock: Clock,
        telemetry: Telemetry,
        rng: random.Random,
        chart: Callable[[Mapping[str, Any]], bytes] = lambda _incident: b"",
    ) -> None:
        self.receiver = receiver
        self._notifier = notifier
        self._settings = settings
        self._free_at = 0.0
        self._next: list[Parcel] = []
        self.breaker = Breaker()
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._rng = rng
        self._chart = chart

    def step(self) -> bool:
        """Make one round of attempts at what is due; return whether there was anything."""
        notifier = self._notifier()
        if notifier is None or self.pause_seconds() > 0:
            return False
        parcels, self._next = self._next or self._first_of_round(notifier), []
        if not parcels:
            return False
        self._free_at = self._clock.monotonic_seconds() + notifier.pace_seconds
        outcomes = self._attempt_all(notifier, parcels)
        self._judge([outcome for _parcel, outcome in outcomes])
        claimed: list[Parcel] = []
        with writing(self._engine) as connection:
            settled = self._settle(connection, outcomes)
            if not notifier.pace_seconds and not self.pause_seconds():
                # The next round in the same transaction: in a storm, turns to write are scarce.
                claimed = self._claim(connection, notifier)
        self._next = claimed  # only now: a claim that was not committed is anybody's
        for attempt in settled:
            self._count(attempt)
        return True

    def _first_of_round(self, notifier: Notifier) -> list[Parcel]:
        """Claim what is due, waiting for a turn to write only when there is something."""
        with reading(self._engine) as connection:
            if not outbox.is_any_due(connection, self.receiver, now=self._clock.now()):
                return []
        with writing(self._engine) as connection:
            return self._claim(connection, notifier)

    def pause_seconds(self) -> float:
        """Return how long to wait: for the receiver's own limit, or until it is asked again."""
        now_seconds = self._clock.monotonic_seconds()
        return max(self._free_at - now_seconds, self.breaker.pause_seconds(now_seconds), 0.0)

    def _claim(self, connection: Connection, notifier: Notifier) -> list[Parcel]:
        """Take what is to be sent now: single messages, or in a storm one digest of many."""
        storm = self._settings().storm
        now = self._clock.now()
        is_storm = isinstance(notifier, Digester) and storm.messages <= outbox.count_due(
            connection, self.receiver, now=now, limit=storm.messages
        )
        limit = storm.digest_of if is_storm else self._round_size(notifier)
        claims = outbox.claim(connection, self.receiver, now=now, limit=limit)
        claims = self._compose_late(connection, self._unmuted(connection, claims, now))
        if is_storm:
            return [claims] if claims else []
        return [[claim] for claim in claims]

    def _unmuted(
        self, connection: Connection, claims: Sequence[Claim], now: datetime
    ) -> list[Claim]:
        """Give back the first messages of what somebody has silenced while they waited."""
        first = [c for c in claims if c.message.event == Event.OPENED and not c.message.incident]
        muted = muted_incidents(connection, [claim.key for claim in first])
        held_back = [claim for claim in first if claim.key in muted]
        if held_back:
            until = now + timedelta(seconds=MUTED_PAUSE_SECONDS)
            outbox.postpone(connection, held_back, until=until)
        return [claim for claim in claims if claim not in held_back]

    def _compose_late(self, connection: Connection, claims: Sequence[Claim]) -> list[Claim]:
        """Fill in the messages that say how things stand when they are sent."""
        late = [claim.key for claim in claims if not claim.message.incident]
        incidents = messages.compose(connection, late, self._settings()) if late else {}
        return [
            replace(claim, message=replace(claim.message, incident=incidents[claim.key]))
            if claim.key in incidents
            else claim
            for claim in claims
        ]

    def _attempt_all(
        self, notifier: Notifier, parcels: Sequence[Parcel]
    ) -> list[tuple[Parcel, Outcome]]:
        if len(parcels) == 1:
            return [(parcels[0], self._attempt(notifier, parcels[0]))]
        with ThreadPoolExecutor(min(len(parcels), notifier.at_once)) as pool:
            failures = pool.map(lambda parcel: self._attempt(notifier, parcel), parcels)
            return list(zip(parcels, failures, strict=True))

    def _attempt(self, notifier: Notifier, parcel: Parcel) -> Outcome:
        messages_ = [claim.message for claim in parcel]
        if not parcel[0].is_held(self._clock.now()):
            self._telemetry.duplicate_avoided("lease")
            return NotDelivered("not sent: the lease ran out first", reason=Reason.TIMEOUT)
        try:
            if len(messages_) > 1 and isinstance(notifier, Digester):
                notifier.send_digest(messages_, now=self._now())
            else:
                return notifier.send(self._illustrated(notifier, messages_[0]), now=self._now())
        except NotDelivered as failure:
            return failure
        except Exception as error:  # a notifier is a supervised boundary: its bug is our data
            log.exception("notifier failed", extra={"receiver": self.receiver})
            return NotDelivered(f"{type(error).__name__}: {error}", reason=Reason.UNEXPECTED)
        return None

    def _illustrated(self, notifier: Notifier, message: Message) -> Message:
        if not notifier.takes_chart or message.event == "resolved":
            return message
        try:
            return replace(message, chart=self._chart(message.incident))
        except Exception:  # a supervised boundary: no fault of a picture may cost the message
            log.exception("chart not drawn", extra={"receiver": self.receiver})
            return message

    def _now(self) -> datetime:
        return self._clock.now()

    def _judge(self, outcomes: Sequence[Outcome]) -> None:
        """Let the breaker see how the receiver fared; a clear refusal is an answer, too."""
        for outcome in outcomes:
            is_answer = not isinstance(outcome, NotDelivered) or outcome.is_permanent
            now_seconds = self._clock.monotonic_seconds()
            self.breaker = (
                self.breaker.succeeded() if is_answer else self.breaker.failed(now_seconds)
            )
        self._telemetry.broken(self.receiver, is_open=not self.breaker.is_trusted)

    def _round_size(self, notifier: Notifier) -> int:
        if notifier.at_once > 1 and self.breaker.is_trusted:
            return notifier.at_once * ATTEMPTS_IN_A_ROW
        return 1

    def _settle(
        self, connection: Connection, outcomes: Sequence[tuple[Parcel, Outcome]]
    ) -> list[Attempt]:
        """Write what became of the attempts; return those that were still ours to settle."""
        now = self._clock.now()
        attempts = [
            Attempt(claim, outcome, len(parcel) - 1, self._again_at(claim, outcome, now))
            for parcel, outcome in outcomes
            for claim in parcel
        ]
        held = outbox.settle(connection, [attempt.settlement for attempt in attempts], now=now)
        settled = [a for a in attempts if a.claim.message.delivery_id in held]
        entries = [attempt.entry for attempt in settled]
        timeline.add_all(connection, [entry for entry in entries if entry], now=now)
        return settled

    def _again_at(self, claim: Claim, outcome: Outcome, now: datetime) -> datetime | None:
        """Return when a failed delivery is tried again, or None for never."""
        if not isinstance(outcome, NotDelivered) or outcome.is_permanent:
            return None
        return next_attempt_at(
            attempts_made=claim.attempt,
            first_due_at=claim.message.at,
            now=now,
            retry_after_seconds=outcome.retry_after_seconds,
            rng=self._rng,
        )

    def _count(self, attempt: Attempt) -> None:
        """Show in the metrics and the log what is on disk now."""
        message = attempt.claim.message
        if attempt.failure is not None:
            self._telemetry.not_delivered(self.receiver, is_dead=attempt.is_dead)
            log.warning(
                "delivery failed",
                extra={
                    "receiver": self.receiver,
                    "delivery_id": message.delivery_id,
                    "attempt": attempt.claim.attempt,
                    "reason": str(attempt.failure.reason),
                    "is_dead": attempt.is_dead,
                },
            )
            return
        now = self._clock.now()
        started_at = parse_rfc3339(message.incident["started_at"])
        is_first = message.event == "opened"
        self._telemetry.delivered(
            self.receiver,
            latency_seconds=(now - message.at).total_seconds(),
            since_start_seconds=(now - started_at).total_seconds() if is_first else None,
        )
