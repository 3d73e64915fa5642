"""What to run, as data: settings become recipes, recipes become running collectors.

A recipe holds only what JSON can, since settings are read in a process of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.collector import Collector
from agent.collectors import make


@dataclass(frozen=True, slots=True)
class Recipe:
    """One collector to run, and its limits.

    Attributes:
        name: unique; the ``collector`` label of its own metrics.
        kind: its key in the table of collectors.
        arguments: of its constructor; may hold a password and is therefore never shown.
        interval_seconds: from the start of one run to the start of the next.
        deadline_seconds: a run that takes longer has failed; what it brings is told nevertheless.
        max_series: what it exposes beyond this is cut and counted.
        lane: the thread it runs in; recipes of one lane run in turn.
    """

    name: str
    kind: str
    arguments: Mapping[str, Any] = field(repr=False)
    interval_seconds: float
    deadline_seconds: float
    max_series: int
    lane: str

    def make(self) -> Collector:
        """Construct the collector."""
        return make(self.kind, self.arguments)

    @property
    def expires_after_seconds(self) -> float:
        """Age at which its samples are no longer served: three runs missed.

        Prometheus looks back five minutes for a sample that vanished, but not past a target's
        own silence: what stops being served goes stale at the next scrape.
        """
        return 3 * self.interval_seconds + self.deadline_seconds
