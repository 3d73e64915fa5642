"""What was collected, with its time, for whoever wants more than text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent.family import Family


class Reading(NamedTuple):
    """What one collector brought, and when: Unix time in nanoseconds."""

    families: Sequence[Family]
    at_nanoseconds: int
