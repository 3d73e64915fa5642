"""The two sides of an alert's expression: what is measured, and the line it crossed."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPERATORS = re.compile(r"==|!=|>=|<=|>|<")
_RESTRICTIONS = re.compile(r"\b(?:and|unless)\b", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\bor\b", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(?:bool\s+)?(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*")
_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "\"'`"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an expression measures, and the number it is compared with, if it is one."""

    measured: str
    threshold: float | None


def split(expression: str) -> Comparison:
    """Return the measured side and the number of an alert's outermost comparison.

    What follows an ``and`` or ``unless`` only restricts when the alert may fire, so it is left out.
    An ``or`` joins two measurements: half of it would mislead, so the whole expression is returned,
    as it is when nothing is compared with a plain number.
    """
    outermost = _outermost(expression)
    if _first(_ALTERNATIVE, expression, outermost) is not None:
        return Comparison(expression, None)
    restriction = _first(_RESTRICTIONS, expression, outermost)
    left = expression if restriction is None else expression[: restriction.start()]
    comparison = _first(_OPERATORS, left, outermost)
    if comparison is not None:
        number = _NUMBER.fullmatch(left, comparison.end())
        if number is not None:
            return Comparison(left[: comparison.start()].strip(), float(number[1]))
    return Comparison(expression, None)


def _first(
    pattern: re.Pattern[str], expression: str, outermost: frozenset[int]
) -> re.Match[str] | None:
    matches = pattern.finditer(expression)
    return next((match for match in matches if match.start() in outermost), None)


def _outermost(expression: str) -> frozenset[int]:
    """Return the positions outside every bracket and quote."""
    positions, depth, quote, skip = [], 0, "", False
    for at, character in enumerate(expression):
        if skip:
            skip = False
        elif quote:
            skip = character == "\\" and quote != "`"
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif depth == 0:
            positions.append(at)
    return frozenset(positions)
