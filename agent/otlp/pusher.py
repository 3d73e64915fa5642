"""Takes what was collected, and hands it to a receiver when there is one."""

from __future__ import annotations

import gzip
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from agent.family import Family, single
from agent.otlp.delivery import Fate, Verdict, deliver
from agent.otlp.message import request_of
from agent.otlp.receiver import Receiver
from agent.otlp.spool import Spool
from agent.reading import Reading
from agent.timetable import backoff_seconds
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.logs import get_logger

log = get_logger(__name__)

FIRST_WAIT_SECONDS = 1.0
"""After the second failure in a row; doubled with each further one, up to half a minute."""

COMPRESSION_LEVEL = 1


class Pusher:
    """Two threads: one takes readings into the buffer, one empties it.

    Args:
        receiver: where to, and how often.
        read: returns what is known now.
        rng: spreads retries, so that many agents do not come back at once.

    Raises:
        OSError: the buffer's directory cannot be used.
    """

    def __init__(
        self, receiver: Receiver, read: Callable[[], Iterable[Reading]], rng: random.Random
    ) -> None:
        self.receiver = receiver
        self._read = read
        self._rng = rng
        self._spool = Spool(Path(receiver.directory), receiver.buffer_bytes)
        self._stopping = threading.Event()
        self._has_more = threading.Event()
        self._dropped: Counter[str] = Counter()
        self._pushed = self._rejected_points = self._failures = 0
        self._is_taking = True
        self._threads = [
            threading.Thread(target=self._take_for_ever, name="otlp-take", daemon=True),
            threading.Thread(target=self._send_for_ever, name="otlp-send", daemon=True),
        ]

    def start(self) -> None:
        """Begin; what an earlier process left in the buffer goes first."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_seconds: float = 1.0) -> None:
        """End both threads; what was not sent stays in the buffer."""
        self._stopping.set()
        self._has_more.set()
        for thread in self._threads:
            thread.join(timeout_seconds)

    def families(self) -> Iterator[Family]:
        """Yield what is told of the pushing itself."""
        yield single(own.OTLP_BUFFERED, len(self._spool))
        yield single(own.OTLP_BUFFERED_BYTES, self._spool.size_bytes)
        yield single(own.OTLP_PUSHED, self._pushed)
        yield single(own.OTLP_REJECTED_POINTS, self._rejected_points)
        yield single(own.OTLP_PUSH_OK, int(self._is_taking and self._failures == 0))
        dropped = {**self._dropped, "buffer": self._spool.dropped}
        yield Family(own.OTLP_DROPPED, [((why,), count) for why, count in dropped.items()])

    def _take_for_ever(self) -> None:
        while not self._stopping.wait(self.receiver.interval_seconds):
            self.take()

    def take(self) -> None:
        """Put what is known now into the buffer; a message that cannot be made costs no other."""
        try:
            request = request_of(self._read(), self.receiver.resource)
            self._spool.add(gzip.compress(request.SerializeToString(), COMPRESSION_LEVEL))
        except OSError as error:
            self._note_lost("storage", error)
        except Exception as error:  # the supervised boundary: the next message may do
            log.debug("a message cannot be made", exc_info=True)
            self._note_lost("unexpected", error)
        else:
            self._is_taking = True
        self._has_more.set()

    def _note_lost(self, why: str, error: Exception) -> None:
        if self._is_taking:  # once, until one is taken again
            extra = {"reason": why, "detail": f"{type(error).__name__}: {error}"}
            log.warning("a message was lost before it could be sent", extra=extra)
        self._is_taking = False
        self._dropped[why] += 1

    def _send_for_ever(self) -> None:
        while not self._stopping.is_set():
            self._has_more.clear()
            try:
                wait_seconds = self.send_oldest()
            except Exception as error:  # the supervised boundary: it may do later
                log.debug("a message cannot be handed over", exc_info=True)
                detail = f"{type(error).__name__}: {error}"
                wait_seconds = self._wait_seconds(Verdict(Fate.LATER, detail))
            if wait_seconds is None:
                self._has_more.wait()
            elif wait_seconds > 0:
                self._stopping.wait(wait_seconds)

    def send_oldest(self) -> float | None:
        """Send the message that waits longest.

        Returns:
            seconds to wait before the next one; None when nothing waits.
        """
        entry = self._spool.oldest()
        if entry is None:
            return None
        try:
            message = entry.path.read_bytes()
        except FileNotFoundError:  # it went overboard meanwhile
            self._spool.remove(entry)
            return 0.0
        except OSError as error:  # nor will it be readable the next time, and others wait
            self._dropped["storage"] += 1
            self._note_failure(Verdict(Fate.REFUSED, str(error)))
            self._spool.remove(entry)
            return 0.0
        verdict = deliver(self.receiver.url, self.receiver.headers, message)
        if verdict.fate is Fate.LATER:
            return self._wait_seconds(verdict)
        self._spool.remove(entry)
        if verdict.fate is Fate.REFUSED:
            self._dropped["refused"] += 1
            self._note_failure(verdict)
            return 0.0
        self._pushed += 1
        self._rejected_points += verdict.rejected_points
        if self._failures:
            log.info("the receiver is back", extra={"waiting": len(self._spool)})
        self._failures = 0
        return 0.0

    def _wait_seconds(self, verdict: Verdict) -> float:
        self._note_failure(verdict)
        if verdict.wait_seconds is not None:
            return verdict.wait_seconds
        return backoff_seconds(FIRST_WAIT_SECONDS, self._failures) * self._rng.uniform(0.5, 1.0)

    def _note_failure(self, verdict: Verdict) -> None:
        if not self._failures:  # once an outage
            extra = {"fate": str(verdict.fate), "detail": verdict.detail}
            log.warning("a message was not handed over", extra=extra)
        self._failures += 1
