"""How much memory this process may use, from whoever sets the tightest limit."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

CGROUP_V1_UNLIMITED_BYTES = 1 << 62
"""cgroup v1 writes "no limit" as the largest page-aligned number (PAGE_COUNTER_MAX in Linux)."""


def memory_limit_bytes(
    declared_bytes: int | None = None,
    *,
    proc: Path = Path("/proc/self"),
    cgroup: Path = Path("/sys/fs/cgroup"),
) -> int | None:
    """Return the smallest limit in bytes, or None when nothing limits the process.

    Args:
        declared_bytes: what the application's own configuration allows it.
        proc: this process's directory; another one in tests.
        cgroup: where the control groups are mounted; another one in tests.
    """
    found = [limit for limit in _rlimits() if limit is not None]
    found += _cgroup_limits(proc, cgroup)
    if declared_bytes is not None:
        found.append(declared_bytes)
    return min(found, default=None)


def _rlimits() -> Iterator[int]:
    # Resident memory itself is not limited by Linux; address space and data segment bound it.
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            yield soft


def _cgroup_limits(proc: Path, cgroup: Path) -> list[int]:
    """Return the limits of the process's groups and all their ancestors: the least one holds."""
    try:
        lines = (proc / "cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return []  # no control groups here (macOS, or a kernel without them)
    limits: list[int] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            limits += _limits_upwards(cgroup, path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits_upwards(cgroup / "memory", path, "memory.limit_in_bytes")
    return limits


def _limits_upwards(root: Path, path: str, file_name: str) -> Iterator[int]:
    group = root / path.lstrip("/")
    for directory in (group, *group.parents):
        limit = _read_limit(directory / file_name)
        if limit is not None:
            yield limit
        if directory == root:
            return


def _read_limit(file: Path) -> int | None:
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError:
        return None  # the root group has no such file, nor has one outside our namespace
    if not text.isdecimal() or int(text) >= CGROUP_V1_UNLIMITED_BYTES:
        return None
    return int(text)
