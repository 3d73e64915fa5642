"""A connection of waitress' on which a request has a limited time, however steadily it trickles."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer

REQUEST_SECONDS = 60.0
"""From a request's first byte to its last; the largest we take needs 270 kB a second."""


class TimedChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """Looks idle from when its request should have been whole, so that it is cut as idle ones are.

    waitress itself takes every byte for a sign of life: some hundred clients that send one now and
    then would hold all connections for ever.
    """

    _newest: HTTPRequestParser | None = None
    _began_seconds: float | None = None

    def parser_class(self, adjustments: Any) -> HTTPRequestParser:
        """Return what reads the next request."""
        self._newest = HTTPRequestParser(adjustments)
        return self._newest

    def received(self, data: bytes) -> bool:
        """Take what came; note since when a request is under way."""
        taken = bool(super().received(data))
        newest = self._newest
        # Empty lines between requests make none: they must not pass for one.
        if newest is not None and newest.completed and not newest.empty:
            self._began_seconds = None
            return taken
        now_seconds = time.time()  # as waitress does, which compares
        if self._began_seconds is None:
            self._began_seconds = now_seconds
        whole_by_seconds = self._began_seconds + REQUEST_SECONDS
        self.last_activity = min(now_seconds, whole_by_seconds - self.adj.channel_timeout)
        return taken


def time_requests(listening: Mapping[int, object]) -> None:
    """Have every server among what waitress listens on, by descriptor, time its requests."""
    for one in listening.values():
        if isinstance(one, BaseWSGIServer):
            one.channel_class = TimedChannel
