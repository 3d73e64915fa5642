"""Workers' events, read from the broker's channels: nobody is asked, workers only overheard."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from agent.broker import Broker
from agent.celery.messages import events_in
from agent.celery.tally import Tally
from agent.family import Family, single
from agent.resp import RedisConnection
from agent.resp_answers import CommandRefused
from watchkeeper.catalogue import tasks

REFUSED_SECONDS = 60.0
"""How long not to ask again where an ACL forbids to listen: each refusal is logged there."""


class Events:
    """Overhears workers on a connection of its own, read once a run.

    Args:
        broker: where they publish.
        name: of what is watched; a label.
        channels: pattern of the channels.
        default_queue: the queue of tasks whose publisher sends no events.
    """

    def __init__(self, broker: Broker, name: str, channels: str, default_queue: str) -> None:
        self._broker = broker
        self._name = name
        self._channels = channels
        self._connection: RedisConnection | None = None
        self._tally = Tally(default_queue)
        self._refused_at: float | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether we may listen, as far as is known; where not, nothing is told of events."""
        return self._refused_at is None

    @property
    def taken(self) -> int:
        """How many tasks were told to be taken by a worker, so far."""
        return self._tally.received

    def read(self) -> None:
        """Count what came since the last time.

        Raises:
            UpstreamError: the connection was lost, and what was published since with it.
        """
        now = time.monotonic()
        if self._refused_at is not None and now - self._refused_at < REFUSED_SECONDS:
            return
        try:
            for message in self._listening().published():
                self._add(message)
            self._refused_at = None
        except CommandRefused:
            self._refused_at = now
            self.close()
        except BaseException:
            self.close()  # an answer that was read in part would stand before all later ones
            raise

    def _listening(self) -> RedisConnection:
        if self._connection is None:
            self._connection = self._broker.connect()
            self._connection.subscribe(self._channels)
        return self._connection

    def _add(self, message: bytes) -> None:
        now = time.monotonic()
        # Anybody may publish there; what is no event is none of ours.
        with contextlib.suppress(ValueError):
            for event in list(events_in(message)):
                with contextlib.suppress(ValueError):
                    self._tally.add(event, now)

    def families(self) -> Iterator[Family]:
        """Yield what was counted so far."""
        now = time.monotonic()
        yield from self._tally.families(now)
        if self._tally.last_told_at is not None:
            age_seconds = now - self._tally.last_told_at
            yield single(tasks.LAST_EVENT_AGE, age_seconds, (self._name,))

    def close(self) -> None:
        """Close the connection; what was counted stays."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
