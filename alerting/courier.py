"""Makes the deliveries of one receiver, one attempt after another."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection, Engine

from alerting import messages, outbox, timeline
from alerting.notifiers.notifier import Digester, NotDelivered, Notifier
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


class Courier:
    """Claims, sends and settles for one receiver; a slow receiver therefore delays only itself.

    Args:
        receiver: the receiver's name.
        notifier: returns the notifier in force, or None while the receiver is not configured.
        settings: returns the settings in force.
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
    ) -> None:
        self.receiver = receiver
        self._notifier = notifier
        self._settings = settings
        self._free_at = 0.0
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._rng = rng

    def step(self) -> bool:
        """Make one attempt at what is due next; return whether there was anything."""
        notifier = self._notifier()
        if notifier is None or self.pause_seconds() > 0:
            return False
        claims = self._claim(notifier)
        if not claims:
            return False
        self._free_at = self._clock.monotonic_seconds() + notifier.pace_seconds
        failure = self._attempt(notifier, claims)
        if failure is None:
            self._delivered(claims)
        else:
            self._failed(claims, failure)
        return True

    def pause_seconds(self) -> float:
        """Return how long the receiver's own limit keeps us waiting, 0 when it does not."""
        return max(0.0, self._free_at - self._clock.monotonic_seconds())

    def _claim(self, notifier: Notifier) -> list[Claim]:
        """Take one delivery, or in a storm as many as a digest holds."""
        storm = self._settings().storm
        now = self._clock.now()
        with writing(self._engine) as connection:
            limit = 1
            if isinstance(notifier, Digester):
                due = outbox.count_due(connection, self.receiver, now=now, limit=storm.messages)
                limit = storm.digest_of if due >= storm.messages else 1
            claims = outbox.claim(connection, self.receiver, now=now, limit=limit)
            return self._compose_late(connection, claims)

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

    def _attempt(self, notifier: Notifier, claims: Sequence[Claim]) -> NotDelivered | None:
        messages = [claim.message for claim in claims]
        try:
            if len(messages) > 1 and isinstance(notifier, Digester):
                notifier.send_digest(messages, now=self._clock.now())
            else:
                notifier.send(messages[0], now=self._clock.now())
        except NotDelivered as failure:
            return failure
        except Exception as error:  # a notifier is a supervised boundary: its bug is our data
            log.exception("notifier failed", extra={"receiver": self.receiver})
            return NotDelivered(f"{type(error).__name__}: {error}", reason=Reason.UNEXPECTED)
        return None

    def _delivered(self, claims: Sequence[Claim]) -> None:
        now = self._clock.now()
        with writing(self._engine) as connection:
            settled = [
                claim
                for claim in claims
                if outbox.settle(connection, claim, state=State.DELIVERED, now=now)
            ]
            for claim in settled:
                way = f", with {len(claims) - 1} others" if len(claims) > 1 else ""
                timeline.add(
                    connection,
                    claim.message.incident["id"],
                    Kind.NOTIFIED,
                    f"{self.receiver} was told: {claim.message.event}{way}",
                    now=now,
                    detail={"delivery_id": claim.message.delivery_id, "attempts": claim.attempt},
                )
        for claim in settled:
            self._count(claim, now)

    def _count(self, claim: Claim, now: datetime) -> None:
        message = claim.message
        started_at = parse_rfc3339(message.incident["started_at"])
        is_first = message.event == "opened"
        self._telemetry.delivered(
            self.receiver,
            latency_seconds=(now - message.at).total_seconds(),
            since_start_seconds=(now - started_at).total_seconds() if is_first else None,
        )

    def _failed(self, claims: Sequence[Claim], failure: NotDelivered) -> None:
        now = self._clock.now()
        with writing(self._engine) as connection:
            for claim in claims:
                self._put_off(connection, claim, failure, now)

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
