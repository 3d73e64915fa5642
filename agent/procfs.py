"""Reading the kernel's text files."""

from __future__ import annotations

import os
from pathlib import Path

READ_BYTES = 1 << 14
"""At a time. More would be asked of the allocator for every file, and most are short."""


def read_text(path: Path | str) -> str:
    """Return the whole of a file under /proc or /sys.

    Bytes that are not UTF-8 become surrogates; a path or device name may hold them.
    """
    # The raw calls take a third of the time of open(): these files are read every few seconds.
    # The kernel answers in pieces of a page or so, whatever is asked for.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        while piece := os.read(descriptor, READ_BYTES):
            pieces.append(piece)
    finally:
        os.close(descriptor)
    return b"".join(pieces).decode("utf-8", "surrogateescape")


def read_line(path: Path | str) -> str | None:
    """Return the stripped text of a one-line file, or None where the kernel has nothing there.

    Files of /sys come and go with their device, and some answer EINVAL while it is down.
    """
    try:
        return read_text(path).strip()
    except OSError:
        return None


def read_number(path: Path | str) -> int | None:
    """Return the integer (decimal, or 0x…) in a one-line file, or None where there is none."""
    text = read_line(path)
    if not text:
        return None
    try:
        return int(text, 0)
    except ValueError:
        return None


def parse_cpu_list(text: str) -> list[int]:
    """Return the numbers in a list such as ``0-3,8`` (cpuset(7), list format)."""
    cpus: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first:
            cpus += range(int(first), int(last or first) + 1)
    return cpus
