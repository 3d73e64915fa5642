"""One process as /proc tells of it (proc_pid_stat(5), proc_pid_status(5), proc_pid_io(5))."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from agent.procfs import read_text

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
BYTES_PER_KB = 1024

STATES = {"R": "Running", "S": "Sleeping", "D": "Waiting", "Z": "Zombie"}
"""process-exporter's words; any other state is ``Other``."""
OTHER = "Other"

UNSEEN = (FileNotFoundError, ProcessLookupError, PermissionError)
"""What reading of a process raises that has ended meanwhile, or is hidden from us (hidepid)."""


class Stat(NamedTuple):
    """What the first file tells. A pid and its start are one process, and never another."""

    pid: int
    command: str
    state: str
    parent: int
    minor_faults: int
    major_faults: int
    user_seconds: float
    system_seconds: float
    threads: int
    started_ticks: int
    virtual_bytes: int
    resident_bytes: int


class Usage(NamedTuple):
    """What the other files tell; None for what we may not read."""

    swapped_bytes: int
    voluntary_switches: int
    involuntary_switches: int
    read_bytes: int | None
    written_bytes: int | None
    open_files: int | None
    open_files_limit: int | None


def parse_stat(text: str) -> Stat:
    """Return what a stat file says; the command's name may hold blanks and parentheses."""
    head, _, tail = text.rpartition(")")
    pid, _, command = head.partition(" (")
    columns = tail.split()
    return Stat(
        pid=int(pid),
        command=command,
        state=columns[0],
        parent=int(columns[1]),
        minor_faults=int(columns[7]),
        major_faults=int(columns[9]),
        user_seconds=int(columns[11]) / TICKS_PER_SECOND,
        system_seconds=int(columns[12]) / TICKS_PER_SECOND,
        threads=int(columns[17]),
        started_ticks=int(columns[19]),
        virtual_bytes=int(columns[20]),
        resident_bytes=int(columns[21]) * PAGE_BYTES,
    )


def read_stat(proc: str, pid: int) -> Stat | None:
    """Return the process' first file, or None when it has ended or is hidden."""
    try:
        return parse_stat(read_text(f"{proc}/{pid}/stat"))
    except UNSEEN:
        return None


def read_command_line(proc: str, pid: int) -> str:
    """Return the arguments with blanks between; empty for kernel threads and the unseen."""
    try:
        return read_text(f"{proc}/{pid}/cmdline").replace("\0", " ").strip()
    except UNSEEN:
        return ""


def read_states(proc: str, stat: Stat) -> Counter[str]:
    """Return how many threads of a process are in which state."""
    if stat.threads <= 1:
        return Counter([STATES.get(stat.state, OTHER)])
    return Counter(STATES.get(state, OTHER) for state in _thread_states(proc, stat.pid))


def _thread_states(proc: str, pid: int) -> Iterator[str]:
    directory = f"{proc}/{pid}/task"
    try:
        threads = os.listdir(directory)  # noqa: PTH208  # hundreds of names, no Path for each
    except UNSEEN:
        return
    for thread in threads:
        try:
            yield read_text(f"{directory}/{thread}/stat").rpartition(") ")[2][:1]
        except UNSEEN:
            continue


def read_usage(proc: str, pid: int) -> Usage | None:
    """Return what the other files tell, or None when the process has ended or is hidden."""
    try:
        status = _pairs(read_text(f"{proc}/{pid}/status"))
    except UNSEEN:
        return None
    io = _pairs(_permitted(f"{proc}/{pid}/io"))
    return Usage(
        swapped_bytes=status.get("VmSwap", 0) * BYTES_PER_KB,
        voluntary_switches=status.get("voluntary_ctxt_switches", 0),
        involuntary_switches=status.get("nonvoluntary_ctxt_switches", 0),
        read_bytes=io.get("read_bytes"),
        written_bytes=io.get("write_bytes"),
        open_files=_open_files(f"{proc}/{pid}/fd"),
        open_files_limit=_open_files_limit(_permitted(f"{proc}/{pid}/limits")),
    )


def _permitted(path: str) -> str:
    """Return a file that may be for the process' own user alone; empty where it is not ours."""
    try:
        return read_text(path)
    except UNSEEN:
        return ""


def _pairs(text: str) -> dict[str, int]:
    pairs = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        number = rest.strip().partition(" ")[0]
        if number.isdecimal():
            pairs[name] = int(number)
    return pairs


def _open_files(directory: str) -> int | None:
    try:
        # Since Linux 6.2 the directory's size is their number; before it is nought.
        counted = os.stat(directory).st_size  # noqa: PTH116  # of every process, no Path for each
        return counted or len(os.listdir(directory))  # noqa: PTH208  # no Path for each
    except UNSEEN:
        return None


def _open_files_limit(limits: str) -> int | None:
    for line in limits.splitlines():
        if line.startswith("Max open files"):
            soft = line.split()[3]
            return int(soft) if soft.isdecimal() else None
    return None
