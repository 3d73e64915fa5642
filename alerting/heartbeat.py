"""A sign of life to somebody outside, who raises the alarm when it stays away.

Nothing inside can tell that everything inside is dead. The sign is given only while the service is
ready: one that runs and cannot write its database must be missed too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from alerting.settings import AlertingSettings
from alerting.telemetry import Telemetry
from watchkeeper.clock import Clock
from watchkeeper.errors import UpstreamError
from watchkeeper.outbound import send

TIMEOUT_SECONDS = 10.0


class Heartbeat:
    """Beats by the settings in force.

    Args:
        problems: what keeps the service from doing its job; empty when nothing does.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], AlertingSettings],
        problems: Callable[[], Mapping[str, str]],
        telemetry: Telemetry,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._problems = problems
        self._telemetry = telemetry
        self._next_seconds = 0.0

    def run(self) -> None:
        """Give a sign when one is due and deserved."""
        settings = self._settings()
        wanted = settings.heartbeat
        now_seconds = self._clock.monotonic_seconds()
        if wanted is None or not wanted.url or now_seconds < self._next_seconds:
            return
        self._next_seconds = now_seconds + wanted.every_seconds
        if self._problems():
            self._telemetry.heartbeat("withheld")
            return
        try:
            answer = send(
                "POST", wanted.url.reveal(), body=b"", policy=settings.egress.policy,
                timeout_seconds=TIMEOUT_SECONDS,
            )  # fmt: skip
        except UpstreamError as error:
            self._telemetry.heartbeat(str(error.reason))
            return
        self._telemetry.heartbeat("ok" if 200 <= answer.status < 300 else "http_status")
