"""Processors and the scheduler, from /proc/stat."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, Sample, single
from agent.procfs import read_text
from watchkeeper.catalogue import host

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
"""The unit of /proc/stat, USER_HZ (proc_stat(5))."""

MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
GUEST_MODES = ("user", "nice")
"""Columns of a cpu line in the kernel's order, then the two of guests."""

TOTALS = {
    "intr": host.INTERRUPTS,
    "ctxt": host.CONTEXT_SWITCHES,
    "btime": host.BOOT_TIME,
    "processes": host.FORKS,
    "procs_running": host.PROCS_RUNNING,
    "procs_blocked": host.PROCS_BLOCKED,
}
"""Metric by the first word of a line."""


class CpuCollector:
    """Time by CPU and mode, interrupts, context switches, forks, boot time, run queue."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._path = Path(proc) / "stat"

    def collect(self) -> Iterator[Family]:
        """Return the counters since boot."""
        modes: list[Sample] = []
        guests: list[Sample] = []
        for line in read_text(self._path).splitlines():
            key, _, rest = line.partition(" ")
            metric = TOTALS.get(key)
            if metric is not None:
                yield single(metric, int(rest.partition(" ")[0]))
            elif key.startswith("cpu") and key != "cpu":
                seconds = [int(ticks) / TICKS_PER_SECOND for ticks in rest.split()]
                cpu = key[3:]
                modes += [((cpu, mode), value) for mode, value in zip(MODES, seconds, strict=False)]
                guests += [
                    ((cpu, mode), value)
                    for mode, value in zip(GUEST_MODES, seconds[len(MODES) :], strict=False)
                ]
        yield Family(host.CPU_SECONDS, modes)
        yield Family(host.CPU_GUEST_SECONDS, guests)

    def close(self) -> None:
        """Nothing is held open."""
