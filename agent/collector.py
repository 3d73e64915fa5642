"""The seam of the agent: a collector watches one thing.

A new one is one file in ``agent/collectors`` and one line in the table there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from agent.family import Family
from watchkeeper.errors import Reason, WatchkeeperError


class Collector(Protocol):
    """Watches one thing. One thread calls it, and never twice at the same time."""

    def collect(self) -> Iterable[Family]:
        """Return what is known now, one family a metric.

        Raises:
            CollectionFailed: told with its reason; any other exception counts as ``unexpected``.
        """

    def close(self) -> None:
        """Let go of connections and descriptors; it will not be asked again."""


@runtime_checkable
class OfServer(Protocol):
    """A collector that says whether what it watches is up."""

    def when_silent(self) -> Sequence[Family]:
        """Return what holds while a run does not end, such as ``pg_up 0``: always the same."""


class CollectionFailed(WatchkeeperError):  # noqa: N818  # it names what happened
    """A run that did not succeed.

    ``families`` is what holds nevertheless, such as ``pg_up 0``.
    """

    def __init__(self, message: str, *, reason: Reason, families: Sequence[Family] = ()) -> None:
        super().__init__(message, reason=reason)
        self.families = families
