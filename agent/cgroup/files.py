"""Reading the small files of control groups, which vanish with their group."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from agent.cgroup.figures import Figures, parse_pairs
from agent.procfs import parse_cpu_list, read_line
from watchkeeper.catalogue import containers

MICROSECONDS = 1_000_000

LINKS_OF_A_LEAF = 2
"""Most groups have none below them; to see it takes a fifth of listing their two dozen files."""


def text(directory: str, file: str) -> str:
    """Return a file's text; empty where there is no file, or no directory is named."""
    return (read_line(f"{directory}/{file}") or "") if directory else ""


def pairs(directory: str, file: str) -> Mapping[str, int]:
    """Return the numbers of a file of ``name number`` lines; none where there is no file."""
    return parse_pairs(text(directory, file))


def number(directory: str, file: str) -> int | None:
    """Return the number in a file; None for no file or for a word such as ``max``."""
    found = text(directory, file)
    return int(found) if found.isdecimal() else None


def cpus(directory: str, file: str) -> int | None:
    """Return how many CPUs a file lists; None for no file or an empty one."""
    return len(parse_cpu_list(text(directory, file))) or None


def below(directory: str) -> list[str]:
    """Return the names of the groups that lie in one; none when it went away."""
    try:
        # The links of a directory are its name, its ".", and the ".." of each that lies in it.
        if os.stat(directory).st_nlink == LINKS_OF_A_LEAF:  # noqa: PTH116  # hundreds of them
            return []
        with os.scandir(directory) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def put_pressure(figures: Figures, directory: str) -> None:
    """Note the stall times of a group (Documentation/accounting/psi.rst)."""
    for resource in ("cpu", "memory", "io"):
        for line in text(directory, f"{resource}.pressure").splitlines():
            kind, _, rest = line.partition(" ")
            total = rest.rpartition("total=")[2]
            metric = containers.PRESSURE.get((resource, kind))
            if metric is not None and total.isdecimal():
                figures.put(metric, int(total), MICROSECONDS)


def working_set(usage: int | None, inactive_file: int | None) -> int | None:
    """Return the memory in use without inactive page cache, as the kubelet evicts by; >= 0."""
    return None if usage is None else max(0, usage - (inactive_file or 0))


def made_at(directories: Iterable[str]) -> float | None:
    """Return when the first of the directories was made, Unix time; later if changed since."""
    times: list[float] = []
    for directory in directories:
        try:
            status = os.stat(directory)  # noqa: PTH116  # hundreds of them, no Path for each
        except OSError:
            continue
        times += [status.st_ctime, status.st_mtime]
    return min(times, default=None)
