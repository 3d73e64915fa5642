"""Why a call was refused, for the sender, the log and the metrics."""

from __future__ import annotations

from enum import StrEnum

from watchkeeper.errors import Refused


class Outcome(StrEnum):
    """What became of a call, in words fit for a metric label."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    """The same idempotency key again: answered, not done again."""
    UNPROVEN = "unproven"
    STALE = "stale"
    EXPIRED = "expired"
    FENCED = "fenced"
    UNACCEPTABLE = "unacceptable"


class CallRefused(Refused):
    """A call was not taken.

    Attributes:
        status: what the sender is answered with.
        outcome: the word counted.
    """

    def __init__(self, message: str, *, status: int, outcome: Outcome) -> None:
        super().__init__(message)
        self.status = status
        self.outcome = outcome


def unacceptable(message: str) -> CallRefused:
    """Return the refusal of a call that will never be acceptable as it is."""
    return CallRefused(message, status=422, outcome=Outcome.UNACCEPTABLE)
