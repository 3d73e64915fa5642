"""Which processes there are, and which group each belongs to.

Reading three thousand processes takes as long as everything else the agent does. So a process is
looked at when its number is new, once more on the next run, since a program that was just forked is
not yet what it will be, and then only once in a while, unless it belongs to a group.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from agent.processes.process import Stat, read_command_line, read_stat

RUNS_BETWEEN_LOOKS = 12
"""A minute at the default interval: how long a stranger that became one of a group, or took the
number of another, may go unnoticed."""

MOST_ANCESTORS = 64

MOST_CHARACTERS = 4096
"""Of a command line that are matched. Any local user chooses what stands there, and an ordinary
expression takes time quadratic to it."""


class Group(NamedTuple):
    """One group of processes.

    Attributes:
        name: its label.
        command: found in the first 4,096 characters of the command line, or in ``[name]`` of a
            kernel thread.
        has_children: whether processes that a member started, and that match no group, belong to
            it as well.
    """

    name: str
    command: re.Pattern[str]
    has_children: bool


class _Known(NamedTuple):
    """What was found of a process: as long as these stay, so does its own group."""

    started_ticks: int
    command: str
    group: str | None
    parent: int


class Census:
    """Sorts the machine's processes into groups; the first that matches has it."""

    def __init__(self, proc: str, groups: Sequence[Group]) -> None:
        self._proc = proc
        self._groups = groups
        self._with_children = {group.name for group in groups if group.has_children}
        self._known: dict[int, _Known] = {}
        self._young: set[int] = set()
        self._members: set[int] = set()
        self._run = 0

    def take(self) -> Mapping[str, list[Stat]]:
        """Return the processes of each group now."""
        self._run += 1
        pids = {int(name) for name in os.listdir(self._proc) if name.isdecimal()}  # noqa: PTH208  # no Path for each
        for pid in self._known.keys() - pids:
            del self._known[pid]
        new = pids - self._known.keys()
        turn = self._run % RUNS_BETWEEN_LOOKS
        strangers = {pid for pid in pids if pid % RUNS_BETWEEN_LOOKS == turn}
        stats: dict[int, Stat] = {}
        for pid in new | ((self._young | self._members) & pids) | strangers:
            stat = read_stat(self._proc, pid)
            if stat is not None:
                stats[pid] = stat
                self._known[pid] = self._recognised(stat)
        self._young = new
        return self._sorted(stats)

    def _recognised(self, stat: Stat) -> _Known:
        known = self._known.get(stat.pid)
        is_settled = (
            known is not None
            and known.group is not None
            and (known.started_ticks, known.command) == (stat.started_ticks, stat.command)
            and stat.pid not in self._young
        )
        if known is not None and is_settled:
            return known._replace(parent=stat.parent)
        line = read_command_line(self._proc, stat.pid)[:MOST_CHARACTERS] or f"[{stat.command}]"
        group = next((one.name for one in self._groups if one.command.search(line)), None)
        return _Known(stat.started_ticks, stat.command, group, stat.parent)

    def _group_of(self, pid: int) -> str | None:
        """Return the group of a process: its own, or that of the nearest ancestor that has one."""
        known = self._known.get(pid)
        if known is None or known.group is not None:
            return None if known is None else known.group
        inherited = next((one.group for one in self._ancestors(known) if one.group), None)
        return inherited if inherited in self._with_children else None

    def _ancestors(self, known: _Known) -> Iterator[_Known]:
        for _ in range(MOST_ANCESTORS):
            parent = self._known.get(known.parent)
            if parent is None:
                return
            yield parent
            known = parent

    def _sorted(self, stats: Mapping[int, Stat]) -> Mapping[str, list[Stat]]:
        groups: dict[str, list[Stat]] = {group.name: [] for group in self._groups}
        for pid, stat in stats.items():
            group = self._group_of(pid)
            if group is not None:
                groups[group].append(stat)
        self._members = {stat.pid for members in groups.values() for stat in members}
        return groups


def compiled(groups: Iterable[Mapping[str, object]]) -> list[Group]:
    """Return groups as the configuration spells them: ``name``, ``command``, ``children``."""
    return [
        Group(str(one["name"]), re.compile(str(one["command"])), bool(one["children"]))
        for one in groups
    ]
