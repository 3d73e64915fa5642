"""Whether a service is doing its job, with reasons when it is not."""

from __future__ import annotations

import threading
from collections.abc import Callable

Check = Callable[[], str | None]
"""Returns None when all is well, else the reason as a sentence a person can act on."""


class Readiness:
    """Named checks; ``/readyz`` is 200 only when every one returns None."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._lock = threading.Lock()

    def add(self, name: str, check: Check) -> None:
        """Ask ``check`` from now on under ``name``, in place of any earlier one of that name."""
        with self._lock:
            self._checks[name] = check

    def problems(self) -> dict[str, str]:
        """Return the reasons by check name; empty means ready."""
        with self._lock:
            checks = list(self._checks.items())
        found = ((name, check()) for name, check in checks)
        return {name: reason for name, reason in found if reason is not None}
