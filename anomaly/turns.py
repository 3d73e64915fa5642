"""Taking turns: who works through much lets those in between who only look."""

from __future__ import annotations

import threading
from types import TracebackType


class Turns:
    """A re-entrant lock that a thread takes again only after one of those who waited meanwhile.

    An ordinary lock goes back to whoever releases and takes it in a loop: the others are awake too
    late, for as long as the loop lasts.
    """

    def __init__(self) -> None:
        self._door = threading.Lock()  # held by the next one
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self._holder == me:
            self._depth += 1
            return
        with self._door:
            self._lock.acquire()
        self._holder, self._depth = me, 1

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._holder = None
            self._lock.release()
