"""Software RAID, from /proc/mdstat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agent.family import Family
from agent.procfs import read_text
from watchkeeper.catalogue import host_hardware

STATES = ("active", "inactive", "recovering", "resync", "check")
DISK_STATES = ("active", "failed", "spare")

_PROGRESS = re.compile(r"(recovery|resync|check)\s*=.*\((\d+)/\d+\)")
_DISK_FLAG = re.compile(r"\((\w)\)$")


class Array(NamedTuple):
    """One array."""

    device: str
    state: str
    disks: dict[str, int]
    required: int
    blocks: int
    synced: int


class RaidCollector:
    """State and disks of each array; nothing where there is none."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._path = Path(proc) / "mdstat"

    def collect(self) -> Iterator[Family]:
        """Return what the kernel says of its arrays."""
        try:
            arrays = list(parse(read_text(self._path)))
        except FileNotFoundError:
            return
        yield Family(
            host_hardware.RAID_STATE,
            [((a.device, state), int(a.state == state)) for a in arrays for state in STATES],
        )
        yield Family(
            host_hardware.RAID_DISKS,
            [((a.device, state), a.disks[state]) for a in arrays for state in DISK_STATES],
        )
        yield Family(host_hardware.RAID_REQUIRED, [((a.device,), a.required) for a in arrays])
        yield Family(host_hardware.RAID_BLOCKS, [((a.device,), a.blocks) for a in arrays])
        yield Family(host_hardware.RAID_SYNCED, [((a.device,), a.synced) for a in arrays])

    def close(self) -> None:
        """Nothing is held open."""


def parse(text: str) -> Iterator[Array]:
    """Yield the arrays of an mdstat file (Documentation/admin-guide/md.rst)."""
    paragraphs = [part.splitlines() for part in re.split(r"\n\s*\n", text.partition("\n")[2])]
    for lines in paragraphs:
        head = lines[0].split() if lines else []
        if len(head) > 2 and head[1] == ":" and len(lines) > 1:
            yield _array(head, lines[1].split(), "\n".join(lines[2:]))


def _array(head: list[str], sizes: list[str], rest: str) -> Array:
    flags = [_DISK_FLAG.search(word) for word in head if "[" in word]
    failed = sum(flag is not None and flag[1] == "F" for flag in flags)
    spare = sum(flag is not None and flag[1] == "S" for flag in flags)
    blocks = int(sizes[0]) if sizes[0].isdecimal() else 0
    counts = next((word for word in sizes if re.fullmatch(r"\[\d+/\d+\]", word)), None)
    required, active = len(flags) - spare, len(flags) - failed - spare
    if counts is not None:
        required, active = map(int, counts.strip("[]").split("/"))
    progress = _PROGRESS.search(rest)
    state = head[2]
    if progress is not None:
        state = {"recovery": "recovering"}.get(progress[1], progress[1])
    disks = {"active": active, "failed": failed, "spare": spare}
    synced = int(progress[2]) if progress is not None else blocks
    return Array(head[0], state, disks, required, blocks, synced)
