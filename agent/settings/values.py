"""What single values of the configuration may be."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from watchkeeper.configuration import DurationSeconds


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return text


Expression = Annotated[str, AfterValidator(_regular_expression)]
"""A regular expression of Python's."""

Port = Annotated[int, Field(ge=1, le=65535)]

Interval = Annotated[DurationSeconds, Field(ge=0.1, le=3600)]
"""Seconds between two runs, or of one."""

Bound = Annotated[int, Field(ge=0, le=500)]
"""How many of something are told of; 0 for none."""
