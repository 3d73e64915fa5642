"""The distribution's description of itself, from os-release(5)."""

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

_VERSION = re.compile(r"\d+(\.\d+)?")


class OsReleaseCollector:
    """Name and version of the system; nothing where it has no os-release."""

    def __init__(self, *, root: str = "/") -> None:
        self._root = Path(root)

    def collect(self) -> Iterator[Family]:
        """Return the description."""
        texts = (read_line(self._root / file) for file in FILES)
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
