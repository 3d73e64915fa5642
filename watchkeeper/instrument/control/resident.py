"""How much memory the process holds."""

from __future__ import annotations

import os
from pathlib import Path


def resident_bytes() -> int | None:
    """Return the memory in use as Linux tells it, proc(5); None elsewhere."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
