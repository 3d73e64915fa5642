"""Processes by configured pattern: what each group of them uses; process-exporter's names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from agent.family import Family, Sample
from agent.processes.census import Census, compiled
from agent.processes.process import (
    OTHER,
    STATES,
    TICKS_PER_SECOND,
    Stat,
    Usage,
    read_states,
    read_usage,
)
from agent.processes.totals import Counters, Key, Totals, counters_of
from agent.procfs import read_text
from watchkeeper.catalogue import Metric, named_processes


class NamedProcessesCollector:
    """CPU, memory, descriptors, threads and states of each group.

    Args:
        groups: each with ``name``, ``command`` (a regular expression) and ``children``.
        proc: the machine's /proc.
    """

    def __init__(self, *, groups: Sequence[Mapping[str, object]], proc: str = "/proc") -> None:
        self._proc = proc
        self._census = Census(proc, compiled(groups))
        self._totals = {str(group["name"]): Totals() for group in groups}
        self._booted_at: int | None = None

    def collect(self) -> Iterator[Family]:
        """Return what the groups use; a group without processes has none, and its counters."""
        samples: dict[Metric, list[Sample]] = {}
        for group, stats in self._census.take().items():
            usages = {stat.pid: read_usage(self._proc, stat.pid) for stat in stats}
            self._totals[group].advance(_counters(stats, usages))
            for metric, labels, value in self._told(group, stats, usages):
                samples.setdefault(metric, []).append(((group, *labels), value))
        for metric, told in samples.items():
            yield Family(metric, told)

    def _told(
        self, group: str, stats: Sequence[Stat], usages: Mapping[int, Usage | None]
    ) -> Iterator[tuple[Metric, tuple[str, ...], float]]:
        known = [usage for usage in usages.values() if usage is not None]
        yield named_processes.COUNT, (), len(stats)
        yield named_processes.THREADS, (), sum(stat.threads for stat in stats)
        states: Counter[str] = Counter()
        for stat in stats:
            states += read_states(self._proc, stat)
        for state in (*STATES.values(), OTHER):
            yield named_processes.STATES, (state,), states[state]
        for kind, size in (
            ("resident", sum(stat.resident_bytes for stat in stats)),
            ("virtual", sum(stat.virtual_bytes for stat in stats)),
            ("swapped", sum(usage.swapped_bytes for usage in known)),
        ):
            yield named_processes.MEMORY, (kind,), size
        if stats:
            yield named_processes.OLDEST_START, (), self._started_at(stats)
        yield from _open_files(known)
        for (metric, labels), value in self._totals[group].values.items():
            yield metric, labels, value

    def _started_at(self, stats: Sequence[Stat]) -> float:
        if self._booted_at is None:
            lines = read_text(f"{self._proc}/stat").splitlines()
            self._booted_at = next(int(line[6:]) for line in lines if line.startswith("btime "))
        return self._booted_at + min(stat.started_ticks for stat in stats) / TICKS_PER_SECOND

    def close(self) -> None:
        """Nothing is held open."""


def _counters(stats: Sequence[Stat], usages: Mapping[int, Usage | None]) -> Mapping[Key, Counters]:
    return {
        Key(stat.pid, stat.started_ticks): counters_of(stat, usages[stat.pid]) for stat in stats
    }


def _open_files(usages: Sequence[Usage]) -> Iterator[tuple[Metric, tuple[str, ...], float]]:
    counted = [usage for usage in usages if usage.open_files is not None]
    if counted:
        yield named_processes.OPEN_FILES, (), sum(usage.open_files or 0 for usage in counted)
    ratios = [
        (usage.open_files or 0) / usage.open_files_limit
        for usage in counted
        if usage.open_files_limit
    ]
    if ratios:
        yield named_processes.WORST_FILES_RATIO, (), max(ratios)
