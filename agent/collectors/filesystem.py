"""File systems, from /proc/self/mountinfo and statvfs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.family import Family, LabelValues, Sample
from agent.procfs import read_text
from agent.statvfs import PatientAsker, Space, space_of
from watchkeeper.catalogue import Metric, host

IGNORED_MOUNT_POINTS = (
    r"^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)"
    r"($|/)"
)
IGNORED_TYPES = (
    r"^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs"
    r"|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs"
    r"|squashfs|sysfs|tracefs)$"
)
"""What node_exporter leaves out by default."""

DEPENDS_ON_OTHERS = re.compile(
    r"^(nfs|nfs4|cifs|smb3|smbfs|fuse|fuse\..*|fuseblk|9p|virtiofs|afs|ceph|glusterfs|lustre"
    r"|gpfs|ocfs2|gfs2|beegfs|orangefs)$"
)
"""Types whose calls wait for another machine or process, which may never answer."""

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system."""

    device: str
    mount_point: str
    type: str
    read_only: bool

    @property
    def labels(self) -> LabelValues:
        """Values of device, fstype and mountpoint."""
        return (self.device, self.type, self.mount_point)


class FilesystemCollector:
    """Size, space and inodes of each mounted file system that holds data.

    Those that depend on others are asked by a process that can be thrown away.
    """

    def __init__(
        self,
        *,
        proc: str = "/proc",
        root: str = "/",
        ignored_mount_points: str = IGNORED_MOUNT_POINTS,
        ignored_types: str = IGNORED_TYPES,
    ) -> None:
        # pid 1 sees the machine's mounts even when we run in a container with its /proc.
        self._candidates = [Path(proc) / "1" / "mountinfo", Path(proc) / "self" / "mountinfo"]
        self._root = root.rstrip("/")
        self._ignored_mount_points = re.compile(ignored_mount_points)
        self._ignored_types = re.compile(ignored_types)
        self._asker = PatientAsker()
        self._mountinfo = ""
        self._mounts: list[Mount] = []
        self._apart: frozenset[str] = frozenset()

    def collect(self) -> Iterator[Family]:
        """Return the state of each; one that cannot be asked has ``device_error`` 1 and no size."""
        read_only: list[Sample] = []
        errors: list[Sample] = []
        values: dict[Metric, list[Sample]] = {metric: [] for metric in _SIZES}
        mounts = self._current_mounts()
        spaces = self._spaces()
        for mount in mounts:
            space = spaces.get(mount.mount_point)
            read_only.append((mount.labels, int(mount.read_only)))
            errors.append((mount.labels, int(space is None)))
            if space is not None:
                for metric, value in zip(_SIZES, space, strict=True):
                    values[metric].append((mount.labels, value))
        yield Family(host.FILESYSTEM_READONLY, read_only)
        yield Family(host.FILESYSTEM_DEVICE_ERROR, errors)
        for metric, samples in values.items():
            yield Family(metric, samples)

    def _current_mounts(self) -> list[Mount]:
        text = self._read_mountinfo()
        if text != self._mountinfo:
            kept = {
                # A file system mounted over another at the same place hides it.
                mount.labels: mount
                for mount in parse_mountinfo(text)
                if not self._ignored_mount_points.match(mount.mount_point)
                and not self._ignored_types.match(mount.type)
            }
            self._mountinfo, self._mounts = text, list(kept.values())
            self._apart = asked_apart(self._mounts)
        return self._mounts

    def _read_mountinfo(self) -> str:
        first, last = self._candidates
        try:
            return read_text(first)
        except OSError:
            return read_text(last)

    def _spaces(self) -> dict[str, Space]:
        """Return the space at each mount point where it can be asked."""
        spaces: dict[str, Space] = {}
        for mount in self._mounts:
            if mount.mount_point not in self._apart:
                with contextlib.suppress(OSError):
                    spaces[mount.mount_point] = space_of(self._root + mount.mount_point)
        if self._apart:
            points = {self._root + point: point for point in sorted(self._apart)}
            with contextlib.suppress(OSError):
                found = self._asker.spaces_of(list(points))
                spaces |= {points[path]: space for path, space in found.items()}
        return spaces

    def close(self) -> None:
        """End the process that asks."""
        self._asker.close()


_SIZES = (
    host.FILESYSTEM_SIZE,
    host.FILESYSTEM_FREE,
    host.FILESYSTEM_AVAILABLE,
    host.FILESYSTEM_FILES,
    host.FILESYSTEM_FILES_FREE,
)
"""Metric of each number of ``Space``."""


def asked_apart(mounts: Sequence[Mount]) -> frozenset[str]:
    """Return the mount points that depend on others: of their types, and all that lie below one.

    The way to a local disk leads through the directories it is mounted in.
    """
    others = [mount.mount_point for mount in mounts if DEPENDS_ON_OTHERS.match(mount.type)]
    ways = tuple(f"{point.rstrip('/')}/" for point in others)
    return frozenset(
        mount.mount_point for mount in mounts if f"{mount.mount_point}/".startswith(ways)
    )


def parse_mountinfo(text: str) -> Iterator[Mount]:
    """Yield the mounts of a mountinfo file (proc_pid_mountinfo(5))."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, tail = before.split(), after.split()
        if len(fields) < 6 or len(tail) < 3:
            continue
        options = {*fields[5].split(","), *tail[2].split(",")}
        yield Mount(_plain(tail[1]), _plain(fields[4]), tail[0], "ro" in options)


def _plain(text: str) -> str:
    """Undo the kernel's octal escapes of blanks and backslashes."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
