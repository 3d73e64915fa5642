"""Whether the broker's count and the workers' events agree."""

from __future__ import annotations

from collections.abc import Mapping


class EventGap:
    """How many tasks, at least, left the queues without an event that told of it.

    A queue that got shorter by n was left by n tasks or more, and each worker tells of each task it
    takes. What is missing adds up; what is told beyond makes up for it, but never ahead of time:
    a surplus holds for one look, since a task can leave just after the queue was looked at.
    """

    def __init__(self) -> None:
        self._depths: dict[str, int] = {}
        self._told = 0
        self._missing = 0

    def look(self, depths: Mapping[str, int], told: int) -> int:
        """Return the gap after one more look.

        Args:
            depths: of the queues now.
            told: events of tasks being taken, ever since the first look.
        """
        new, self._told = told - self._told, told
        left = sum(
            max(0, before - depths[queue])
            for queue, before in self._depths.items()
            if queue in depths
        )
        self._depths = dict(depths)
        self._missing = max(self._missing + left - new, -new)
        return max(0, self._missing)
