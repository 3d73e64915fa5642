"""Processors and the scheduler, from /proc/stat."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.family import Family, Sample, single
from agent.procfs import read_text
from watchkeeper.catalogue import host

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
"""The unit of /proc/stat, USER_HZ (proc_stat(5))."""

MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
GUEST_MODES = ("user", "nice")
"""Columns of a cpu line in the kernel's order, then the two of guests."""

IDLE = MODES.index("idle")

REPLUGGED_SECONDS = 3.0
"""A CPU whose idle time fell by more than the kernel's corrections explain was taken out and put in
again, and counts anew; node_exporter's bound."""

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
        self._told: dict[str, list[float]] = {}

    def collect(self) -> Iterator[Family]:
        """Return the counters since boot; they never run backwards."""
        modes: list[Sample] = []
        guests: list[Sample] = []
        told: dict[str, list[float]] = {}
        for line in read_text(self._path).splitlines():
            key, _, rest = line.partition(" ")
            metric = TOTALS.get(key)
            if metric is not None:
                yield single(metric, int(rest.partition(" ")[0]))
            elif key.startswith("cpu") and key != "cpu":
                cpu = key[3:]
                seconds = [int(ticks) / TICKS_PER_SECOND for ticks in rest.split()]
                seconds = told[cpu] = forward(self._told.get(cpu, ()), seconds)
                modes += [((cpu, mode), value) for mode, value in zip(MODES, seconds, strict=False)]
                guests += [
                    ((cpu, mode), value)
                    for mode, value in zip(GUEST_MODES, seconds[len(MODES) :], strict=False)
                ]
        self._told = told
        yield Family(host.CPU_SECONDS, modes)
        yield Family(host.CPU_GUEST_SECONDS, guests)

    def close(self) -> None:
        """Nothing is held open."""


def forward(told: Sequence[float], now: list[float]) -> list[float]:
    """Return what to tell of one CPU, so that no counter falls while the CPU stays.

    The kernel corrects iowait and idle downwards now and then (proc_stat(5)); a counter that falls
    is taken for one that began anew.

    Args:
        told: seconds by mode told last, in the kernel's order; empty when nothing was.
        now: what the kernel tells.
    """
    if not told or told[IDLE] - now[IDLE] >= REPLUGGED_SECONDS:
        return now
    return list(map(max, told, now))
