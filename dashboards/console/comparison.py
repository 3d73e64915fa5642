"""The two sides of an alert's expression: what is measured, and the line it crossed."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPERATORS = re.compile(r"==|!=|>=|<=|>|<")
_NUMBER = re.compile(r"\s*(?:bool\s+)?(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*")
_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "\"'`"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an expression measures, and the number it is compared with, if it is one."""

    measured: str
    threshold: float | None


def split(expression: str) -> Comparison:
    """Return the sides of the outermost comparison with a number, else the whole expression.

    Only a comparison outside every bracket and quote counts, and only when nothing but a number
    stands on its right: ``a > 1 and b`` is drawn whole, since half of it would mislead.
    """
    for at in _outermost(expression):
        match = _OPERATORS.match(expression, at)
        if match is None:
            continue
        number = _NUMBER.fullmatch(expression, match.end())
        if number is not None:
            return Comparison(expression[:at].strip(), float(number[1]))
    return Comparison(expression, None)


def _outermost(expression: str) -> list[int]:
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
    return positions
