"""Memory that was freed, given back to the system."""

from __future__ import annotations

import ctypes


def give_back_freed() -> bool:
    """Return to the system what the allocator keeps for later; return whether it could be asked.

    glibc keeps what many arrays of a few hundred kilobytes leave behind, and that can be as much as
    all that is in use. Elsewhere nothing is done: other allocators do it by themselves.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    trim(0)
    return True
