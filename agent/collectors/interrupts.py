"""Interrupts by line and CPU, from /proc/interrupts (proc_interrupts(5))."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, Sample
from agent.procfs import read_text
from watchkeeper.catalogue import host


class InterruptsCollector:
    """What each CPU was interrupted by: a series for each line and CPU."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._path = Path(proc) / "interrupts"

    def collect(self) -> Iterator[Family]:
        """Return the counters since boot."""
        yield Family(host.INTERRUPTS_BY_LINE, list(parse(read_text(self._path))))

    def close(self) -> None:
        """Nothing is held open."""


def parse(text: str) -> Iterator[Sample]:
    """Yield the samples of an interrupts file, without lines that are not counted by CPU."""
    header, *lines = text.splitlines()
    cpus = [name.removeprefix("CPU") for name in header.split()]
    for line in lines:
        name, *words = line.split()
        name = name.removesuffix(":")
        counts, about = words[: len(cpus)], words[len(cpus) :]
        if not about:
            continue  # errors, of all CPUs together
        # A numbered line says what controls it, then what hangs on it; another what it is for.
        ends = 1 if name.isdecimal() else len(about)
        info, devices = " ".join(about[:ends]), " ".join(about[ends:])
        for cpu, count in zip(cpus, counts, strict=True):
            yield (cpu, name, info, devices), int(count)
