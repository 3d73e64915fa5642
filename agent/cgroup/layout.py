"""Which versions of the interface a machine has, and which groups there are."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from agent.cgroup.figures import Figures, Limits
from agent.cgroup.legacy import LegacyGroups
from agent.cgroup.unified import UnifiedGroups

CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "blkio", "pids")
"""What is read of version 1."""

IGNORED_GROUPS = re.compile(r"\.(mount|swap)$")
"""Groups systemd makes of mounts: nothing runs in them."""

MOST_LOOKED_AT = 10_000
"""A machine with more groups is not walked to its end."""

MOST_REMEMBERED = 1024
"""IDs of containers; they come and go."""

_CONTAINER = re.compile(r"(?:^|[-/])([0-9a-f]{64})(?:\.scope)?$")


class Groups(Protocol):
    """One version's reader. Ask it for the children of all groups above a group first."""

    def children(self, group: str) -> set[str]:
        """Return the names of the groups that lie in ``group``."""

    def limits(self, group: str) -> Limits:
        """Return the limits of the group itself."""

    def figures(self, group: str, disks: Mapping[str, str]) -> Figures:
        """Return what the kernel tells of the group."""

    def made_at(self, group: str) -> float | None:
        """Return when the group was made, Unix time."""


def find_groups(root: Path) -> Groups | None:
    """Return the reader for what is mounted at ``root``, or None where nothing is."""
    if (root / "cgroup.controllers").exists():
        return UnifiedGroups(str(root))
    found: dict[str, str] = {}
    for name in sorted(_listed(root)):
        for controller in name.split(","):
            if controller in CONTROLLERS:
                found.setdefault(controller, f"{root}/{name}")
    if not found:
        return None
    unified = root / "unified"
    return LegacyGroups(found, str(unified) if (unified / "cgroup.procs").exists() else "")


def _listed(root: Path) -> list[str]:
    try:
        return os.listdir(root)  # noqa: PTH208  # no Path for each
    except OSError:
        return []


def every_group(groups: Groups) -> Iterator[str]:
    """Yield the paths of all groups, those nearer the root first, each once."""
    seen: set[str] = {"/"}
    waiting = deque(["/"])
    while waiting:
        group = waiting.popleft()
        yield group
        for name in sorted(groups.children(group)):
            child = f"{group.rstrip('/')}/{name}"
            if child not in seen and len(seen) < MOST_LOOKED_AT:
                seen.add(child)
                waiting.append(child)


@lru_cache(maxsize=MOST_REMEMBERED)
def container_id(group: str) -> str:
    """Return the container's ID where a runtime put it at the end of the path; else nothing."""
    found = _CONTAINER.search(group)
    return found[1] if found else ""


def choose(groups: Iterable[str], own: str, most: int) -> tuple[list[str], int]:
    """Return the groups to tell of, at most ``most`` (>= 1), and how many are left out.

    The root, our own and containers come before the rest, and those nearer the root before others.
    """
    kept = [group for group in groups if not IGNORED_GROUPS.search(group)]
    kept.sort(key=lambda group: (group not in ("/", own), not container_id(group)))
    return kept[:most], max(0, len(kept) - most)
