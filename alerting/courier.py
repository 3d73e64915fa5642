"""Makes the deliveries of one receiver, one attempt after another."""

from __future__ import annotations

import random
from collections.abc import Callable

from sqlalchemy.engine import Engine

from alerting import outbox, timeline
from alerting.notifiers.notifier import NotDelivered, Notifier
from alerting.outbox import Claim, State
from alerting.retry import next_attempt_at
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
    """

    def __init__(
        self,
        receiver: str,
        notifier: Callable[[], Notifier | None],
        *,
        engine: Engine,
        clock: Clock,
        telemetry: Telemetry,
        rng: random.Random,
    ) -> None:
        self.receiver = receiver
        self._notifier = notifier
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._rng = rng

    def step(self) -> bool:
        """Make one attempt at the next due delivery; return whether there was one."""
        notifier = self._notifier()
        if notifier is None:
            return False
        with writing(self._engine) as connection:
            claim = outbox.claim(connection, self.receiver, now=self._clock.now())
        if claim is None:
            return False
        failure = self._attempt(notifier, claim)
        if failure is None:
            self._delivered(claim)
        else:
            self._failed(claim, failure)
        return True

    def _attempt(self, notifier: Notifier, claim: Claim) -> NotDelivered | None:
        try:
            notifier.send(claim.message, now=self._clock.now())
        except NotDelivered as failure:
            return failure
        except Exception as error:  # a notifier is a supervised boundary: its bug is our data
            log.exception("notifier failed", extra={"receiver": self.receiver})
            return NotDelivered(f"{type(error).__name__}: {error}", reason=Reason.UNEXPECTED)
        return None

    def _delivered(self, claim: Claim) -> None:
        now, message = self._clock.now(), claim.message
        with writing(self._engine) as connection:
            if not outbox.settle(connection, claim, state=State.DELIVERED, now=now):
                return
            timeline.add(
                connection,
                message.incident["id"],
                Kind.NOTIFIED,
                f"{self.receiver} was told: {message.event}",
                now=now,
                detail={"delivery_id": message.delivery_id, "attempts": claim.attempt},
            )
        self._telemetry.delivered(
            self.receiver,
            latency_seconds=(now - message.at).total_seconds(),
            since_start_seconds=(
                now - parse_rfc3339(message.incident["started_at"])
            ).total_seconds()
            if message.event == "opened"
            else None,
        )

    def _failed(self, claim: Claim, failure: NotDelivered) -> None:
        now, message = self._clock.now(), claim.message
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
        with writing(self._engine) as connection:
            settled = outbox.settle(
                connection,
                claim,
                state=state,
                now=now,
                next_attempt_at=again_at,
                error=str(failure),
            )
            # The first failure and the last are news; the ones between would only fill the story.
            if settled and (claim.attempt == 1 or again_at is None):
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
