"""Makes the deliveries of one receiver, one attempt after another."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection, Engine

from alerting import messages, outbox, timeline
from alerting.breaker import Breaker
from alerting.notifiers.notifier import Digester, Message, NotDelivered, Notifier
from alerting.outbox import Claim, State
from alerting.retry import next_attempt_at
from alerting.settings import AlertingSettings
from alerting.telemetry import Telemetry
from alerting.timeline import Kind
from watchkeeper.clock import Clock, parse_rfc3339
from watchkeeper.errors import Reason
from watchkeeper.logs import get_logger
from watchkeeper.storage import writing

log = get_logger(__name__)

Parcel = list[Claim]
"""What goes out in one call: one message, or all that a digest tells of."""

Outcome = NotDelivered | str | None
"""Why a parcel was not delivered; else what the receiver gave back for it, if anything."""

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
        parcels, self._next = self._next, []
        if not parcels:
            with writing(self._engine) as connection:
                parcels = self._claim(connection, notifier)
        if not parcels:
            return False
        self._free_at = self._clock.monotonic_seconds() + notifier.pace_seconds
        outcomes = self._attempt_all(notifier, parcels)
        self._judge([outcome for _parcel, outcome in outcomes])
        claimed: list[Parcel] = []
        with writing(self._engine) as connection:
            delivered = self._settle(connection, outcomes)
            if not notifier.pace_seconds and not self.pause_seconds():
                # The next round in the same transaction: in a storm, turns to write are scarce.
                claimed = self._claim(connection, notifier)
        self._next = claimed  # only now: a claim that was not committed is anybody's
        for claim in delivered:
            self._count(claim, self._clock.now())
        return True

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
        claims = self._compose_late(connection, claims)
        if is_storm:
            return [claims] if claims else []
        return [[claim] for claim in claims]

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
    ) -> list[Claim]:
        """Write what became of the attempts; return what was delivered."""
        now = self._clock.now()
        delivered: list[Claim] = []
        for parcel, outcome in outcomes:
            for claim in parcel:
                if isinstance(outcome, NotDelivered):
                    self._put_off(connection, claim, outcome, now)
                elif outbox.settle(
                    connection, claim, state=State.DELIVERED, now=now, receipt=outcome or ""
                ):
                    self._tell_delivered(connection, claim, len(parcel) - 1, now)
                    delivered.append(claim)
        return delivered

    def _tell_delivered(
        self, connection: Connection, claim: Claim, others: int, now: datetime
    ) -> None:
        way = f", with {others} others" if others else ""
        timeline.add(
            connection,
            claim.key,
            Kind.NOTIFIED,
            f"{self.receiver} was told: {claim.message.event}{way}",
            now=now,
            detail={"delivery_id": claim.message.delivery_id, "attempts": claim.attempt},
        )

    def _count(self, claim: Claim, now: datetime) -> None:
        message = claim.message
        started_at = parse_rfc3339(message.incident["started_at"])
        is_first = message.event == "opened"
        self._telemetry.delivered(
            self.receiver,
            latency_seconds=(now - message.at).total_seconds(),
            since_start_seconds=(now - started_at).total_seconds() if is_first else None,
        )

    def _put_off(
        self, connection: Connection, claim: Claim, failure: NotDelivered, now: datetime
    ) -> None:
        """Note when a delivery is tried again, or give it up."""
        message = claim.message
        again_at = None
        if not failure.is_permanent:
            again_at = next_attempt_at(
                attempts_made=claim.attempt,
                first_due_at=message.at,
                now=now,
                retry_after_seconds=failure.retry_after_seconds,
                rng=self._rng,
            )
        state = State.DEAD if again_at is None else State.PENDING
        if not outbox.settle(
            connection, claim, state=state, now=now, next_attempt_at=again_at, error=str(failure)
        ):
            return
        # The first failure and the last are news; the ones between would only fill the story.
        if claim.attempt == 1 or again_at is None:
            ending = "giving up" if again_at is None else "will be tried again"
            timeline.add(
                connection,
                message.incident["id"],
                Kind.NOTIFY_FAILED,
                f"{self.receiver} could not be told ({ending}): {failure}",
                now=now,
                detail={"delivery_id": message.delivery_id, "reason": str(failure.reason)},
            )
        self._telemetry.not_delivered(self.receiver, is_dead=again_at is None)
        log.warning(
            "delivery failed",
            extra={
                "receiver": self.receiver,
                "delivery_id": message.delivery_id,
                "attempt": claim.attempt,
                "reason": str(failure.reason),
                "is_dead": again_at is None,
            },
        )
