"""Control groups, and so containers: CPU, memory, I/O, pressure, and the limits that hold."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from agent.cgroup.figures import Figures, Limits, ancestry, least
from agent.cgroup.layout import (
    Groups,
    choose,
    container_id,
    every_group,
    find_groups,
)
from agent.family import Family, LabelValues, Sample, single
from agent.procfs import read_line, read_text
from watchkeeper.catalogue import Metric, containers

MOST_GROUPS = 100
"""About 35 series each."""

BYTES_PER_KB = 1024

_CPU = re.compile(r"cpu\d")
"""Begins a CPU's line in /proc/stat."""


class ContainersCollector:
    """Tells of the machine's groups, whichever version of the interface it has; cAdvisor's names.

    Args:
        proc: the machine's /proc.
        sys: its /sys.
        most_groups: told of; the rest is counted.
        now_seconds: Unix time.
    """

    def __init__(
        self,
        *,
        proc: str = "/proc",
        sys: str = "/sys",
        most_groups: int = MOST_GROUPS,
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._proc = Path(proc)
        self._root = Path(sys) / "fs" / "cgroup"
        self._most_groups = most_groups
        self._now_seconds = now_seconds

    def collect(self) -> Iterator[Family]:
        """Return what the kernel tells of each group; nothing where there are none."""
        groups = find_groups(self._root)
        if groups is None:
            return
        chosen, left_out = choose(every_group(groups), self._own_group(), self._most_groups)
        disks = self._disks()
        figures = {group: groups.figures(group, disks) for group in chosen}
        yield from _families(groups, figures)
        yield from self._limits(groups, figures)
        now = self._now_seconds()
        yield Family(containers.LAST_SEEN, [(_labels(group), now) for group in chosen])
        yield single(containers.LEFT_OUT, left_out)

    def _limits(self, groups: Groups, figures: Mapping[str, Figures]) -> Iterator[Family]:
        machine = self._machine()
        own = {group: one.limits for group, one in figures.items()}
        above = {outer for group in figures for outer in ancestry(group)}
        own |= {outer: groups.limits(outer) for outer in above - own.keys()}
        held = {
            group: least([machine, *(own[one] for one in ancestry(group))]) for group in figures
        }
        for metric, at in ((containers.CPU_LIMIT, 0), (containers.MEMORY_LIMIT, 1)):
            values = ((_labels(group), limits[at]) for group, limits in held.items())
            yield Family(metric, [(labels, value) for labels, value in values if value is not None])

    def _machine(self) -> Limits:
        total = next(
            (
                int(line.split()[1]) * BYTES_PER_KB
                for line in (read_line(f"{self._proc}/meminfo") or "").splitlines()
                if line.startswith("MemTotal:")
            ),
            None,
        )
        lines = (read_line(f"{self._proc}/stat") or "").splitlines()
        return Limits(sum(_CPU.match(line) is not None for line in lines) or None, total)

    def _own_group(self) -> str:
        """Return the group that holds us, as the memory controller or version 2 sees it."""
        own = ""
        for line in (read_line(f"{self._proc}/self/cgroup") or "").splitlines():
            _, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(",") or (not controllers and not own):
                own = path
        return own

    def _disks(self) -> dict[str, str]:
        """Return the device of each disk by ``major:minor``."""
        rows = (line.split() for line in read_text(f"{self._proc}/diskstats").splitlines())
        return {f"{row[0]}:{row[1]}": f"/dev/{row[2]}" for row in rows if len(row) > 2}

    def close(self) -> None:
        """Nothing is held open."""


def _labels(group: str) -> LabelValues:
    return group, container_id(group)


def _families(groups: Groups, figures: Mapping[str, Figures]) -> Iterator[Family]:
    samples: dict[str, list[Sample]] = {}
    told: dict[str, Metric] = {containers.START_TIME.name: containers.START_TIME}
    for group, one in figures.items():
        labels = _labels(group)
        for metric, more, value in one.values:
            told[metric.name] = metric
            samples.setdefault(metric.name, []).append(((*labels, *more), value))
        made_at = groups.made_at(group)
        if made_at is not None:
            samples.setdefault(containers.START_TIME.name, []).append((labels, made_at))
    for name, of_groups in samples.items():
        yield Family(told[name], of_groups)
