"""Processes by state, and threads against their limits, counted over /proc."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_number, read_text
from watchkeeper.catalogue import host

THREADS_COLUMN = 17
"""Of /proc/PID/stat after the command's name; column 0 is the state (proc_pid_stat(5))."""


class ProcessesCollector:
    """How many there are, what they do, and how many more there may be."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._proc = proc

    def collect(self) -> Iterator[Family]:
        """Return the counts; a process that ends meanwhile is left out."""
        states: Counter[str] = Counter()
        thread_states: Counter[str] = Counter()
        for pid in _numbers_in(self._proc):
            columns = _columns(f"{self._proc}/{pid}/stat")
            if columns is not None:
                state, threads = columns[0], int(columns[THREADS_COLUMN])
                states[state] += 1
                if threads == 1:
                    thread_states[state] += 1
                else:
                    thread_states.update(self._thread_states(pid))
        yield single(host.PROCESSES_PIDS, states.total())
        yield single(host.PROCESSES_THREADS, thread_states.total())
        yield Family(host.PROCESSES_STATE, [((state,), n) for state, n in states.items()])
        yield Family(
            host.PROCESSES_THREADS_STATE, [((state,), n) for state, n in thread_states.items()]
        )
        for metric, file in (
            (host.PROCESSES_MAX, "pid_max"),
            (host.PROCESSES_MAX_THREADS, "threads-max"),
        ):
            number = read_number(Path(self._proc) / "sys" / "kernel" / file)
            if number is not None:
                yield single(metric, number)

    def close(self) -> None:
        """Nothing is held open."""

    def _thread_states(self, pid: str) -> Iterator[str]:
        tasks = f"{self._proc}/{pid}/task"
        for thread in _numbers_in(tasks):
            columns = _columns(f"{tasks}/{thread}/stat")
            if columns is not None:
                yield columns[0]


def _numbers_in(directory: str) -> list[str]:
    try:
        names = os.listdir(directory)  # noqa: PTH208  # thousands of names, no Path for each
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [name for name in names if name.isdecimal()]


def _columns(stat: str) -> list[str] | None:
    """Return the columns after the command's name, or None when the process has ended."""
    try:
        return read_text(stat).rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
