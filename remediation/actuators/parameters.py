"""Reading a call's parameters: whole numbers in bounds, and nothing unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediation.refusal import unacceptable


def whole_numbers(parameters: Mapping[str, Any], *known: str) -> dict[str, int]:
    """Return the parameters, each a whole number of at least 1.

    Raises:
        CallRefused: one is not in ``known``, or is something else.
    """
    for name, value in parameters.items():
        if name not in known:
            expected = ", ".join(known) or "none"
            raise unacceptable(f"parameters.{name}: unknown; expected {expected}")
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise unacceptable(f"parameters.{name}: expected a whole number from 1, got {value!r}")
    return dict(parameters)


def shorter(lasts_seconds: float, given: Mapping[str, int]) -> float:
    """Return for how long a change is made: what is allowed, or the ``seconds`` asked for.

    Raises:
        CallRefused: more was asked for.
    """
    asked_seconds = given.get("seconds", lasts_seconds)
    if asked_seconds > lasts_seconds:
        raise unacceptable(f"parameters.seconds: expected at most {lasts_seconds:g}")
    return asked_seconds
