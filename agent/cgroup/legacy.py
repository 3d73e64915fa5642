"""Version 1 of the interface: a hierarchy a controller (Documentation/admin-guide/cgroup-v1).

On a hybrid machine the pressure of each group comes from the version 2 hierarchy beside them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from agent.cgroup.figures import Figures, Limits, fewest
from agent.cgroup.files import (
    below,
    cpus,
    made_at,
    number,
    pairs,
    put_pressure,
    text,
    working_set,
)
from watchkeeper.catalogue import Metric, containers

UNLIMITED_BYTES = 1 << 62
""""No limit" is written as the largest page-aligned number (PAGE_COUNTER_MAX in Linux)."""

NANOSECONDS = 1_000_000_000
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
"""The unit of cpuacct.stat, USER_HZ."""

MEMORY_FIELDS = {
    "total_rss": containers.MEMORY_RSS,
    "total_cache": containers.MEMORY_CACHE,
    "total_mapped_file": containers.MEMORY_MAPPED,
    "total_swap": containers.MEMORY_SWAP,
}
"""Metric by field of memory.stat; ``total_`` counts the groups below too, as version 2 does."""

IO_FILES = {
    "blkio.throttle.io_service_bytes_recursive": {
        "Read": containers.FS_READ_BYTES,
        "Write": containers.FS_WRITTEN_BYTES,
    },
    "blkio.throttle.io_serviced_recursive": {
        "Read": containers.FS_READS,
        "Write": containers.FS_WRITES,
    },
}
"""Metric by operation and file."""


UNIFIED = "unified"
"""Stands for version 2 among the controllers."""


Quota = tuple[int | None, int | None]
"""How long a group may run in each period, and that period, in microseconds; None for no limit."""


class LegacyGroups:
    """The groups under the mounts of version 1.

    Args:
        roots: mount point by controller, of those that are mounted.
        unified: where version 2 is mounted beside them, or empty.
    """

    def __init__(self, roots: Mapping[str, str], unified: str = "") -> None:
        self._of = dict(roots) | ({UNIFIED: unified} if unified else {})
        # A group need not be in every hierarchy; those that were seen need no look in vain.
        self._present = {f"{root}/" for root in self._of.values()}

    def children(self, group: str) -> set[str]:
        """Return the names of the groups that lie in ``group``, in any hierarchy."""
        found: set[str] = set()
        for directory in self._directories(group):
            names = below(directory)
            self._present.update(f"{directory.rstrip('/')}/{name}" for name in names)
            found.update(names)
        return found

    def limits(self, group: str) -> Limits:
        """Return the limits of the group itself."""
        return self._limits(group, self._quota(group))

    def _limits(self, group: str, quota: Quota) -> Limits:
        runtime, period = quota
        share = runtime / period if runtime is not None and period else None
        pinned = cpus(self._directory("cpuset", group), "cpuset.effective_cpus")
        return Limits(fewest((share, pinned)), self._memory_limit(group, "memory.limit_in_bytes"))

    def figures(self, group: str, disks: Mapping[str, str]) -> Figures:
        """Return what the kernel tells of the group; arguments as ``UnifiedGroups.figures``."""
        quota = self._quota(group)
        figures = Figures(self._limits(group, quota))
        self._put_cpu(figures, group, quota)
        self._put_memory(figures, group)
        self._put_io(figures, group, disks)
        put_pressure(figures, self._directory(UNIFIED, group))
        directory = self._directory("pids", group)
        threads = number(directory, "pids.current")
        figures.put(containers.THREADS, threads)
        if threads is not None:
            figures.put(containers.THREADS_MAX, number(directory, "pids.max") or 0)
        return figures

    def made_at(self, group: str) -> float | None:
        """Return when the group was made, Unix time; later where it was changed since."""
        return made_at(self._directories(group))

    def _directory(self, controller: str, group: str) -> str:
        """Return where a controller has the group; empty where it has not."""
        path = self._of.get(controller, "") + group
        return path if path in self._present else ""

    def _directories(self, group: str) -> set[str]:
        """Return where the group is; controllers mounted together share a place."""
        return {root + group for root in self._of.values()} & self._present

    def _quota(self, group: str) -> Quota:
        directory = self._directory("cpu", group)
        # "-1" for none is no decimal.
        return number(directory, "cpu.cfs_quota_us"), number(directory, "cpu.cfs_period_us")

    def _memory_limit(self, group: str, file: str) -> int | None:
        limit = number(self._directory("memory", group), file)
        return None if limit is None or limit >= UNLIMITED_BYTES else limit

    def _put_cpu(self, figures: Figures, group: str, quota: Quota) -> None:
        accounting = self._directory("cpuacct", group)
        figures.put(
            containers.CPU_USAGE, number(accounting, "cpuacct.usage"), NANOSECONDS, ("total",)
        )
        ticks = pairs(accounting, "cpuacct.stat")
        figures.put(containers.CPU_USER, ticks.get("user"), TICKS_PER_SECOND)
        figures.put(containers.CPU_SYSTEM, ticks.get("system"), TICKS_PER_SECOND)
        directory = self._directory("cpu", group)
        figures.put(containers.SPEC_CPU_SHARES, number(directory, "cpu.shares"))
        runtime, period = quota
        figures.put(containers.SPEC_CPU_PERIOD, period)
        if runtime is not None:
            throttling = pairs(directory, "cpu.stat")
            figures.put(containers.SPEC_CPU_QUOTA, runtime)
            figures.put(containers.CFS_PERIODS, throttling.get("nr_periods"))
            figures.put(containers.CFS_THROTTLED, throttling.get("nr_throttled"))
            figures.put(
                containers.CFS_THROTTLED_TIME, throttling.get("throttled_time"), NANOSECONDS
            )

    def _put_memory(self, figures: Figures, group: str) -> None:
        directory = self._directory("memory", group)
        usage = number(directory, "memory.usage_in_bytes")
        if usage is None:
            return
        stat = pairs(directory, "memory.stat")
        figures.put(containers.MEMORY_USAGE, usage)
        figures.put(
            containers.MEMORY_WORKING_SET, working_set(usage, stat.get("total_inactive_file"))
        )
        figures.put(containers.MEMORY_MAX_USAGE, number(directory, "memory.max_usage_in_bytes"))
        for field, metric in MEMORY_FIELDS.items():
            figures.put(metric, stat.get(field))
        figures.put(containers.MEMORY_FAILCNT, number(directory, "memory.failcnt"))
        figures.put(containers.OOM_EVENTS, pairs(directory, "memory.oom_control").get("oom_kill"))
        for fault in ("pgfault", "pgmajfault"):
            figures.put(containers.MEMORY_FAILURES, stat.get(fault), 1, (fault, "container"))
            figures.put(
                containers.MEMORY_FAILURES, stat.get(f"total_{fault}"), 1, (fault, "hierarchy")
            )
        figures.put(containers.SPEC_MEMORY_LIMIT, figures.limits.memory_bytes or 0)
        for metric, file in (
            (containers.SPEC_MEMORY_RESERVATION, "memory.soft_limit_in_bytes"),
            (containers.SPEC_MEMORY_SWAP_LIMIT, "memory.memsw.limit_in_bytes"),
        ):
            figures.put(metric, self._memory_limit(group, file) or 0)

    def _put_io(self, figures: Figures, group: str, disks: Mapping[str, str]) -> None:
        directory = self._directory("blkio", group)
        for file, metrics in IO_FILES.items():
            for line in text(directory, file).splitlines():
                self._put_operation(figures, line.split(), metrics, disks)

    def _put_operation(
        self,
        figures: Figures,
        words: list[str],
        metrics: Mapping[str, Metric],
        disks: Mapping[str, str],
    ) -> None:
        """Note a line such as ``8:0 Read 4096``."""
        if len(words) == 3 and words[0] in disks and words[1] in metrics:
            figures.put(metrics[words[1]], int(words[2]), 1, (disks[words[0]],))
