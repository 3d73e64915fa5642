"""Waiting for a condition, with a deadline and a name for what never came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

_never = threading.Event()


def wait_until(
    predicate: Callable[[], Found], *, timeout_seconds: float = 60.0, what: str
) -> Found:
    """Return the first truthy answer of ``predicate``; fail naming ``what`` after the deadline."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        found = predicate()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds:g} s: {what}")
        _never.wait(0.05)


def wait_until_holds(claim: Callable[[], None], *, timeout_seconds: float = 60.0) -> None:
    """Return once ``claim`` asserts nothing false; after the deadline, fail with what it says.

    For several figures that one event changes and different threads write: waiting for one of
    them says nothing of the others.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return claim()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        _never.wait(0.05)
