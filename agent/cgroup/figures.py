"""What is known of one control group, whichever version of the interface told it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.family import LabelValues
from watchkeeper.catalogue import Metric


class Limits(NamedTuple):
    """What a group may use; None for as much as there is."""

    cpu_cores: float | None = None
    memory_bytes: float | None = None


def fewest(cores: Iterable[float | None]) -> float | None:
    """Return the least number of cores of several limits; None where none holds."""
    return min((one for one in cores if one), default=None)


@dataclass(slots=True)
class Figures:
    """What a group uses, and its own limits.

    Attributes:
        limits: of the group itself.
        values: metric, the labels it has beyond the group's own, and the number.
    """

    limits: Limits
    values: list[tuple[Metric, LabelValues, float]] = field(default_factory=list)

    def put(
        self, metric: Metric, value: float | None, divisor: float = 1, labels: LabelValues = ()
    ) -> None:
        """Note ``value`` in units of which ``divisor`` make one; None is left out."""
        if value is not None:
            self.values.append((metric, labels, value / divisor if divisor != 1 else value))


def least(limits: Iterable[Limits]) -> Limits:
    """Return what holds under several limits at once: a group is bound by all it lies in."""
    cores: list[float] = []
    memory: list[float] = []
    for one in limits:
        if one.cpu_cores is not None:
            cores.append(one.cpu_cores)
        if one.memory_bytes is not None:
            memory.append(one.memory_bytes)
    return Limits(min(cores, default=None), min(memory, default=None))


def ancestry(group: str) -> list[str]:
    """Return ``group`` and all groups it lies in, ``/`` last."""
    parts = [part for part in group.split("/") if part]
    return ["/" + "/".join(parts[:count]) for count in range(len(parts), -1, -1)]


def parse_pairs(text: str) -> Mapping[str, int]:
    """Return the numbers of a text of ``name number`` lines."""
    words = text.split()
    try:
        return dict(zip(words[::2], map(int, words[1::2]), strict=False))
    except ValueError:  # a word such as "max" among them
        pairs = zip(words[::2], words[1::2], strict=False)
        return {name: int(number) for name, number in pairs if number.isdecimal()}
