"""What is pushed to, as the configuration has it, and why nothing is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from agent.family import Family, single
from agent.otlp.receiver import Receiver
from agent.reading import Reading
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.logs import get_logger

if TYPE_CHECKING:
    from agent.otlp.pusher import Pusher

log = get_logger(__name__)


class Pushing:
    """At most one pusher, which is started as soon as its buffer can be used.

    Args:
        read: returns what is known now.
    """

    def __init__(self, read: Callable[[], list[Reading]]) -> None:
        self._read = read
        self._receiver: Receiver | None = None
        self._pusher: Pusher | None = None
        self._problem: str | None = None

    def push_to(self, receiver: Receiver | None) -> None:
        """Push there from now on; nowhere without a receiver."""
        if receiver != self._receiver:
            self._receiver = receiver
            self._problem = None
            if self._pusher is not None:
                self._pusher.stop()
                self._pusher = None
        self.look_after()

    def look_after(self) -> None:
        """Start what could not be started before; call it now and then."""
        if self._receiver is None or self._pusher is not None:
            return
        try:
            self._pusher = _started(self._receiver, self._read)
        except OSError as error:
            self._note(f"the buffer {self._receiver.directory} cannot be used: {error}")
            return
        if self._problem is not None:
            log.info("pushing begins", extra={"buffer": self._receiver.directory})
        self._problem = None

    def _note(self, problem: str) -> None:
        if problem != self._problem:
            log.error("nothing is pushed", extra={"detail": problem})
        self._problem = problem

    def problem(self) -> str | None:
        """Return why nothing is pushed that should be."""
        return self._problem

    def families(self) -> Iterator[Family]:
        """Yield what is told of the pushing itself; nothing where none is asked for."""
        pusher = self._pusher  # which another thread may put away
        if pusher is not None:
            yield from pusher.families()
        elif self._problem is not None:
            yield single(own.OTLP_PUSH_OK, 0)


def _started(receiver: Receiver, read: Callable[[], list[Reading]]) -> Pusher:
    from agent.otlp.pusher import Pusher  # noqa: PLC0415  # 14 MB that only pushing needs

    pusher = Pusher(receiver, read, random.Random())  # noqa: S311  # spreads load, hides nothing
    pusher.start()
    return pusher
