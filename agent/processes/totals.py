"""What a group has used in all: its counters grow, whoever of its processes comes and goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agent.family import LabelValues
from agent.processes.process import Stat, Usage
from watchkeeper.catalogue import Metric, named_processes

Counters = Mapping[tuple[Metric, LabelValues], float]
"""Value by metric and the labels after the group's name."""


class Key(NamedTuple):
    """One process and no other: numbers of processes are used again."""

    pid: int
    started_ticks: int


def counters_of(stat: Stat, usage: Usage | None) -> Counters:
    """Return what one process has used so far; without what we may not read."""
    counters: dict[tuple[Metric, LabelValues], float] = {
        (named_processes.CPU, ("user",)): stat.user_seconds,
        (named_processes.CPU, ("system",)): stat.system_seconds,
        (named_processes.MAJOR_FAULTS, ()): stat.major_faults,
        (named_processes.MINOR_FAULTS, ()): stat.minor_faults,
    }
    if usage is not None:
        switches = named_processes.CONTEXT_SWITCHES
        counters[switches, ("voluntary",)] = usage.voluntary_switches
        counters[switches, ("nonvoluntary",)] = usage.involuntary_switches
        for metric, value in (
            (named_processes.READ, usage.read_bytes),
            (named_processes.WRITTEN, usage.written_bytes),
        ):
            if value is not None:
                counters[metric, ()] = value
    return counters


class Totals:
    """The counters of one group."""

    def __init__(self) -> None:
        self.values: dict[tuple[Metric, LabelValues], float] = {}
        self._last: dict[Key, Counters] = {}

    def advance(self, now: Mapping[Key, Counters]) -> None:
        """Add what each process used since the last call; what is new is added whole.

        Args:
            now: the counters of the group's processes that are alive, by process.
        """
        known: dict[Key, Counters] = {}
        for key, counters in now.items():
            before = self._last.get(key, {})
            for name, value in counters.items():
                grown = max(0.0, value - before.get(name, 0.0))
                self.values[name] = self.values.get(name, 0.0) + grown
            # What cannot be read for a run was counted already, and is not new afterwards.
            known[key] = {**before, **counters}
        self._last = known
