"""One attempt at a delivery and what is to be remembered of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alerting.notifiers.notifier import NotDelivered
from alerting.outbox import Claim, Settlement, State
from alerting.timeline import Entry, Kind

Outcome = NotDelivered | str | None
"""Why a parcel was not delivered; else what the receiver gave back for it, if anything."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried, and what came of it.

    Attributes:
        others: how many other messages went out in the same call.
        again_at: when a failed one is tried again; None for one that is given up.
    """

    claim: Claim
    outcome: Outcome
    others: int = 0
    again_at: datetime | None = None

    @property
    def failure(self) -> NotDelivered | None:
        """Why it was not delivered, or None."""
        return self.outcome if isinstance(self.outcome, NotDelivered) else None

    @property
    def is_dead(self) -> bool:
        """Whether it failed and is not tried again."""
        return self.failure is not None and self.again_at is None

    @property
    def settlement(self) -> Settlement:
        """What the outbox is to hold of it."""
        if self.failure is None:
            return Settlement(self.claim, State.DELIVERED, receipt=str(self.outcome or ""))
        state = State.DEAD if self.is_dead else State.PENDING
        return Settlement(self.claim, state, next_attempt_at=self.again_at, error=str(self.failure))

    @property
    def entry(self) -> Entry | None:
        """What the timeline is to tell of it, if it is news."""
        claim = self.claim
        message = claim.message
        if self.failure is None:
            way = f", with {self.others} others" if self.others else ""
            text = f"{claim.receiver} was told: {message.event}{way}"
            detail = {"delivery_id": message.delivery_id, "attempts": claim.attempt}
            return Entry(claim.key, Kind.NOTIFIED, text, detail)
        # The first failure and the last are news; the ones between would only fill the story.
        if claim.attempt > 1 and not self.is_dead:
            return None
        ending = "giving up" if self.is_dead else "will be tried again"
        text = f"{claim.receiver} could not be told ({ending}): {self.failure}"
        failed = {"delivery_id": message.delivery_id, "reason": str(self.failure.reason)}
        return Entry(claim.key, Kind.NOTIFY_FAILED, text, failed)
