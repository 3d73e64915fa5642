"""What a rule may say of when, where and how widely it acts, and of what follows when it fails."""

from __future__ import annotations

import math
from typing import Any, Self

from pydantic import Field, model_validator

from watchkeeper.configuration import DurationSeconds, Settings


class BudgetSettings(Settings):
    """At most so many actions in a sliding window."""

    actions: int = Field(default=5, ge=0)
    window_seconds: DurationSeconds = Field(default=3600.0, gt=0, alias="window")


class ConditionSettings(Settings):
    """What must be true of the data before an action: every series of ``query`` in the bounds.

    No data, NaN and no answer are not true.
    """

    query: str
    means: str = ""
    """What it says, in words for the incident's story; the query stands there otherwise."""
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _have_a_bound(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("expected above or below: a condition needs a bound")
        return self


class PoolSettings(Settings):
    """The targets that share a load, of which only some may be acted on at a time.

    What one target suffers from, others may too: without a ceiling one wrong rule takes all of them
    down in turn. Rules with the same ``name`` share the ceiling.
    """

    name: str = Field(min_length=1)
    size_query: str
    """PromQL for how many there are; no answer means that nothing is done."""
    ceiling_ratio: float = Field(default=0.2, gt=0, le=1, alias="ceiling")
    """A fifth, as the default of MachineHealthCheck should have been; at least one target."""
    window_seconds: DurationSeconds = Field(default=600.0, gt=0, alias="window")
    """How long a target counts after it was acted on: it may take that long to be well again."""

    def most(self, size: float) -> int:
        """Return how many targets of a pool of ``size`` may be acted on within the window."""
        return max(1, math.floor(self.ceiling_ratio * size + 1e-9))


class CompensationSettings(Settings):
    """What is done once when an action did not help, before a person is called."""

    action: str = Field(pattern=r"^[a-z0-9-]+$")
    target: str = ""
    """The rule's own target where it is empty."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    endpoint: str = ""
    """The rule's own endpoint where it is empty."""
