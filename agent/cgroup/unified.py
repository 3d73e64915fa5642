"""Version 2 of the interface: one hierarchy (Documentation/admin-guide/cgroup-v2.rst)."""

from __future__ import annotations

from collections.abc import Mapping

from agent.cgroup.figures import Figures, Limits, fewest
from agent.cgroup.files import (
    MICROSECONDS,
    below,
    cpus,
    made_at,
    number,
    pairs,
    put_pressure,
    text,
    working_set,
)
from watchkeeper.catalogue import containers

IO_FIELDS = {
    "rbytes": containers.FS_READ_BYTES,
    "wbytes": containers.FS_WRITTEN_BYTES,
    "rios": containers.FS_READS,
    "wios": containers.FS_WRITES,
}
"""Metric by field of io.stat."""

MEMORY_FIELDS = {
    "anon": containers.MEMORY_RSS,
    "file": containers.MEMORY_CACHE,
    "file_mapped": containers.MEMORY_MAPPED,
}
"""Metric by field of memory.stat."""


def shares_of_weight(weight: int) -> float:
    """Return a weight (1 to 10000) as version 1's shares (2 to 262144), as runtimes convert it."""
    return 2 + (weight - 1) * 262142 // 9999


Quota = tuple[int | None, int]
"""How long a group may run in each period, and that period, in microseconds."""


class UnifiedGroups:
    """The groups under one mount of version 2.

    Args:
        root: where it is mounted.
    """

    def __init__(self, root: str) -> None:
        self._root = root

    def children(self, group: str) -> set[str]:
        """Return the names of the groups that lie in ``group``."""
        return set(below(self._root + group))

    def limits(self, group: str) -> Limits:
        """Return the limits of the group itself."""
        directory = self._root + group
        return self._limits(directory, self._quota(directory))

    def _limits(self, directory: str, quota: Quota) -> Limits:
        runtime, period = quota
        share = None if runtime is None or not period else runtime / period
        pinned = cpus(directory, "cpuset.cpus.effective")
        return Limits(fewest((share, pinned)), number(directory, "memory.max"))

    def figures(self, group: str, disks: Mapping[str, str]) -> Figures:
        """Return what the kernel tells of the group.

        Args:
            group: its path, ``/`` for the root.
            disks: device path by ``major:minor``.
        """
        directory = self._root + group
        quota = self._quota(directory)
        figures = Figures(self._limits(directory, quota))
        self._put_cpu(figures, directory, quota)
        self._put_memory(figures, directory)
        self._put_io(figures, directory, disks)
        put_pressure(figures, directory)
        threads = number(directory, "pids.current")
        figures.put(containers.THREADS, threads)
        if threads is not None:
            figures.put(containers.THREADS_MAX, number(directory, "pids.max") or 0)
        return figures

    def made_at(self, group: str) -> float | None:
        """Return when the group was made, Unix time; later where it was changed since."""
        return made_at([self._root + group])

    def _quota(self, directory: str) -> Quota:
        """Return quota and period in microseconds from ``max 100000`` or ``50000 100000``."""
        words = text(directory, "cpu.max").split()
        if len(words) != 2:
            return None, 0
        return (int(words[0]) if words[0].isdecimal() else None), int(words[1])

    def _put_cpu(self, figures: Figures, directory: str, quota: Quota) -> None:
        cpu = pairs(directory, "cpu.stat")
        figures.put(containers.CPU_USAGE, cpu.get("usage_usec"), MICROSECONDS, ("total",))
        figures.put(containers.CPU_USER, cpu.get("user_usec"), MICROSECONDS)
        figures.put(containers.CPU_SYSTEM, cpu.get("system_usec"), MICROSECONDS)
        runtime, period = quota
        if period:
            figures.put(containers.SPEC_CPU_PERIOD, period)
        if runtime is not None:
            figures.put(containers.SPEC_CPU_QUOTA, runtime)
            figures.put(containers.CFS_PERIODS, cpu.get("nr_periods"))
            figures.put(containers.CFS_THROTTLED, cpu.get("nr_throttled"))
            figures.put(containers.CFS_THROTTLED_TIME, cpu.get("throttled_usec"), MICROSECONDS)
        weight = number(directory, "cpu.weight")
        if weight is not None:
            figures.put(containers.SPEC_CPU_SHARES, shares_of_weight(weight))

    def _put_memory(self, figures: Figures, directory: str) -> None:
        usage = number(directory, "memory.current")
        if usage is None:
            return  # the root group, or one without the memory controller
        stat = pairs(directory, "memory.stat")
        events = pairs(directory, "memory.events")
        figures.put(containers.MEMORY_USAGE, usage)
        figures.put(containers.MEMORY_WORKING_SET, working_set(usage, stat.get("inactive_file")))
        figures.put(containers.MEMORY_MAX_USAGE, number(directory, "memory.peak"))
        for field, metric in MEMORY_FIELDS.items():
            figures.put(metric, stat.get(field))
        figures.put(containers.MEMORY_SWAP, number(directory, "memory.swap.current"))
        figures.put(containers.MEMORY_FAILCNT, events.get("max"))
        figures.put(containers.OOM_EVENTS, events.get("oom_kill"))
        for fault in ("pgfault", "pgmajfault"):
            # This version keeps no counts of a group without those below it.
            figures.put(containers.MEMORY_FAILURES, stat.get(fault), 1, (fault, "hierarchy"))
        figures.put(containers.SPEC_MEMORY_LIMIT, figures.limits.memory_bytes or 0)
        for metric, file in (
            (containers.SPEC_MEMORY_RESERVATION, "memory.min"),
            (containers.SPEC_MEMORY_SWAP_LIMIT, "memory.swap.max"),
        ):
            figures.put(metric, number(directory, file) or 0)

    def _put_io(self, figures: Figures, directory: str, disks: Mapping[str, str]) -> None:
        for line in text(directory, "io.stat").splitlines():
            number_, *fields = line.split()
            device = disks.get(number_)
            if device is None:
                continue
            for field in fields:
                name, _, count = field.partition("=")
                if name in IO_FIELDS and count.isdecimal():
                    figures.put(IO_FIELDS[name], int(count), 1, (device,))
