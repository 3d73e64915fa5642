"""One running copy of a service."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a service, as what runs it tells.

    Attributes:
        title: what people call it.
        identity: another after a restart (a process id, the time of a start); None when it is down.
        is_ready: whether it does its job, as far as can be seen from outside.
        said: its state in the words of what runs it.
    """

    title: str
    identity: str | None
    is_ready: bool
    said: str
