"""What a collector did so far, as one value that is replaced whole."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from agent.sheet import NOTHING, Sheet
from watchkeeper.errors import Reason


class Status(NamedTuple):
    """The outcome of the last run and the sums over all; times are monotonic seconds.

    ``success`` is None before the first run ended. ``running_since`` is None between runs.
    ``failures`` counts those since the last success, ``reason`` is that of the last of them.
    ``collected_at`` is when what the sheet says was collected; None when it holds until the
    collector says otherwise, as ``pg_up 0`` does.
    """

    success: bool | None = None
    duration_seconds: float = 0.0
    last_success_at: float | None = None
    running_since: float | None = None
    failures: int = 0
    reason: Reason | None = None
    series: int = 0
    dropped: int = 0
    errors: Mapping[Reason, int] = MappingProxyType({})
    sheet: Sheet = NOTHING
    collected_at: float | None = None
    expires_at: float = 0.0

    def failed(self, reason: Reason, duration_seconds: float) -> Status:
        """Return the status after one more failure."""
        return self._replace(
            success=False,
            duration_seconds=duration_seconds,
            failures=self.failures + 1,
            reason=reason,
            errors={**self.errors, reason: self.errors.get(reason, 0) + 1},
        )
