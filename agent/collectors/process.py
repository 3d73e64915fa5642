"""The agent's own process, from /proc/self: what watching costs."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_text
from watchkeeper.catalogue import process

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

_UTIME, _STIME, _STARTTIME, _VSIZE, _RSS = 11, 12, 19, 20, 21
"""Columns of /proc/PID/stat after the command's name, from 0 (proc_pid_stat(5))."""


class ProcessCollector:
    """CPU, memory, descriptors and threads of this process."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._proc = Path(proc)
        self._booted_at: int | None = None

    def collect(self) -> Iterator[Family]:
        """Return prometheus-client's process metrics."""
        columns = read_text(f"{self._proc}/self/stat").rpartition(") ")[2].split()
        cpu_ticks = int(columns[_UTIME]) + int(columns[_STIME])
        yield single(process.CPU, cpu_ticks / TICKS_PER_SECOND)
        yield single(process.VIRTUAL, int(columns[_VSIZE]))
        yield single(process.RESIDENT, int(columns[_RSS]) * PAGE_BYTES)
        yield single(process.START_TIME, self._started_at(int(columns[_STARTTIME])))
        yield single(process.OPEN_FDS, len(os.listdir(f"{self._proc}/self/fd")))  # noqa: PTH208  # no Path for each
        yield single(process.MAX_FDS, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        yield single(process.THREADS, threading.active_count(), ("agent",))

    def _started_at(self, start_ticks: int) -> float:
        if self._booted_at is None:
            lines = read_text(f"{self._proc}/stat").splitlines()
            self._booted_at = next(int(line[6:]) for line in lines if line.startswith("btime "))
        return self._booted_at + start_ticks / TICKS_PER_SECOND

    def close(self) -> None:
        """Nothing is held open."""
