"""The part of an action that cannot be taken back: an answer that is lost may have been a yes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from watchkeeper.errors import NeverSent, Reason, UpstreamError

LOST = frozenset({Reason.TIMEOUT, Reason.CONNECTION})
"""Reasons that leave open whether the other side acted; any other one is an answer."""


class OutcomeUnknown(UpstreamError):  # noqa: N818  # it names what happened
    """It was asked for and nobody saw the end of it: it may have been done."""


@contextmanager
def deed() -> Iterator[None]:
    """Ask for it: tell an answer that was lost from one that says no.

    Raises:
        OutcomeUnknown: in place of an UpstreamError after which nobody knows what happened.
    """
    try:
        yield
    except NeverSent:
        raise
    except UpstreamError as error:
        raise _judged(error) from None


@contextmanager
def aftermath() -> Iterator[None]:
    """Look at what came of it: who cannot be reached now had been asked before.

    Raises:
        OutcomeUnknown: in place of an UpstreamError that tells nothing of it.
    """
    try:
        yield
    except UpstreamError as error:
        raise _judged(error) from None


def _judged(error: UpstreamError) -> UpstreamError:
    if isinstance(error, OutcomeUnknown) or error.reason not in LOST:
        return error
    return OutcomeUnknown(
        f"{error}; whether it was done is not known", reason=error.reason, status=error.status
    )
