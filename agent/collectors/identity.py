"""Which machine this is: the kernel's description, and the distribution's (os-release(5))."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_line
from watchkeeper.catalogue import host

FILES = ("etc/os-release", "usr/lib/os-release")
"""In the order the manual gives."""

UNAME = {
    "domainname": "domainname",
    "machine": "arch",
    "nodename": "hostname",
    "release": "osrelease",
    "sysname": "ostype",
    "version": "version",
}
"""File under /proc/sys/kernel by label."""

_VERSION = re.compile(r"\d+(\.\d+)?")


class IdentityCollector:
    """Names and versions of machine, kernel and system."""

    def __init__(self, *, proc: str = "/proc", root: str = "/") -> None:
        self._kernel = Path(proc) / "sys" / "kernel"
        self._root = Path(root)

    def collect(self) -> Iterator[Family]:
        """Return the descriptions; a system without os-release has none."""
        uname = {label: read_line(f"{self._kernel}/{file}") or "" for label, file in UNAME.items()}
        yield single(host.UNAME, 1, tuple(uname[label] for label in host.UNAME.labels))
        texts = (read_line(f"{self._root}/{file}") for file in FILES)
        text = next((text for text in texts if text), None)
        if text is None:
            return
        values = parse(text)
        yield single(host.OS_INFO, 1, tuple(values.get(label, "") for label in host.OS_INFO.labels))
        version = _VERSION.match(values.get("version_id", ""))
        if version:
            labels = tuple(values.get(label, "") for label in host.OS_VERSION.labels)
            yield single(host.OS_VERSION, float(version[0]), labels)

    def close(self) -> None:
        """Nothing is held open."""


def parse(text: str) -> dict[str, str]:
    """Return the assignments of an os-release file by lower-case name, unquoted."""
    values = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            values[name.lower()] = "".join(shlex.split(value))
    return values
