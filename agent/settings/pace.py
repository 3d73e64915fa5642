"""How often and how long collectors run, and the recipes made at that pace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agent.recipe import Recipe
from watchkeeper.configuration import Settings

HOST_LANE = "host"
"""The thread of all collectors that never wait for anything."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits of all collectors.

    Attributes:
        interval_seconds: between two runs of a collector.
        slow_interval_seconds: of the collectors, and the questions, that cost more.
        deadline_seconds: a run that takes longer has failed.
        max_series: of one collector.
    """

    interval_seconds: float
    slow_interval_seconds: float
    deadline_seconds: float
    max_series: int

    def recipe(
        self,
        name: str,
        kind: str,
        arguments: Mapping[str, Any],
        *,
        is_slow: bool = False,
        lane: str | None = None,
    ) -> Recipe:
        """Return the recipe of a collector, in a thread of its own unless a lane is given."""
        interval = self.slow_interval_seconds if is_slow else self.interval_seconds
        limits = (interval, self.deadline_seconds, self.max_series)
        return Recipe(name, kind, arguments, *limits, lane or name)

    @property
    def question_limits(self) -> dict[str, float]:
        """The arguments of a database's collector that come from here."""
        return {
            "timeout_seconds": self.deadline_seconds / 4,
            "slow_interval_seconds": self.slow_interval_seconds,
            "run_seconds": self.run_seconds,
        }

    @property
    def run_seconds(self) -> float:
        """How long a run may take that ends by itself before its deadline."""
        return self.deadline_seconds * 0.9


class Section(Protocol):
    """A part of the configuration that says what to watch."""

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run."""


def plain(settings: Settings) -> dict[str, Any]:
    """Return the fields as plain data, the password revealed."""
    fields = settings.model_dump(exclude={"password"})
    password = getattr(settings, "password", None)
    return fields | {"password": password.reveal() if password else ""}
