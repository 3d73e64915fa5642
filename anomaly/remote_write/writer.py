"""Keeps what was judged until it is written; a server that is down loses only what is too much."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping

import numpy as np

from anomaly.chain import Verdict
from anomaly.evaluation import QueryEvaluation
from anomaly.panel import SeriesKey
from anomaly.remote_write.settings import RemoteWriteSettings
from anomaly.remote_write.wire import HEADERS, WrittenSeries, request_of
from anomaly.settings import PublishSettings
from anomaly.view import text_of
from watchkeeper.catalogue import anomaly as catalogue
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.http_session import HTTPSession, elsewhere
from watchkeeper.logs import get_logger

SAMPLES_PER_REQUEST = 5_000

READ_OF_ANSWER_BYTES = 4096
"""What a refusal says; of an answer that took the samples nothing is of use."""

Written = tuple[SeriesKey, float, float]
"""Labels, Unix time in seconds, value."""

log = get_logger(__name__)


class RemoteWriter:
    """Writes scores, expected values and bands with the times of the samples they belong to.

    Args:
        settings: where to.
        publish: how many series of a query are shown; the same are written.
        sent: told the outcome of each request, and of how many samples it was.
    """

    def __init__(
        self,
        settings: RemoteWriteSettings,
        publish: Callable[[], PublishSettings],
        sent: Callable[[str, int], None] = lambda _outcome, _samples: None,
    ) -> None:
        self._settings = settings
        self._publish = publish
        self._sent = sent
        self._waiting: deque[Written] = deque()
        self._lock = threading.Lock()
        token = settings.token
        own = {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}
        self._session = HTTPSession({**HEADERS, **own})

    @property
    def every_seconds(self) -> float:
        """Return how often ``write`` is to be called."""
        return self._settings.every

    def take(self, verdict: Verdict, evaluation: QueryEvaluation) -> None:
        """Keep what a verdict says, unless it is of history that is judged again."""
        if verdict.at_seconds <= evaluation.live_after_seconds:
            return
        found = list(self._samples(verdict, evaluation))
        with self._lock:
            self._waiting.extend(found)
            excess = len(self._waiting) - self._settings.keep
            for _ in range(excess):
                self._waiting.popleft()
        if excess > 0:
            self._sent("dropped", excess)

    def _samples(self, verdict: Verdict, evaluation: QueryEvaluation) -> list[Written]:
        detector = evaluation.settings.detector
        scores = verdict.scores[detector]
        rows = {
            catalogue.SCORE.name: scores,
            catalogue.EXPECTED.name: verdict.expected,
            catalogue.LOWER.name: verdict.band.lower,
            catalogue.UPPER.name: verdict.band.upper,
        }
        found: list[Written] = []
        for slot in self._shown(scores, len(evaluation.series_in)):
            key = evaluation.series_in.get(slot)
            if key is None:
                continue
            about = {**self._settings.labels, "query": evaluation.name, "series": text_of(key)}
            for name, values in rows.items():
                own = {"detector": detector} if name == catalogue.SCORE.name else {}
                labels = tuple(sorted({**about, **own, "__name__": name}.items()))
                found.append((labels, verdict.at_seconds, float(values[slot])))
        return found

    def _shown(self, scores: np.ndarray, series: int) -> list[int]:
        publish = self._publish()
        shown = np.isfinite(scores)
        if series > publish.all_up_to:
            shown &= scores >= publish.floor
        slots = np.flatnonzero(shown)
        best = np.argsort(-scores[slots], kind="stable")[: publish.all_up_to]
        return sorted(slots[best].tolist())

    def write(self) -> None:
        """Write what waits, until nothing does or the server does not take it."""
        while batch := self._next():
            outcome = self._post(request_of(_grouped(batch)))
            self._sent(outcome, len(batch))
            if outcome in (Reason.CONNECTION, Reason.TIMEOUT, Reason.BUSY):
                self._put_back(batch)
                return

    def _next(self) -> list[Written]:
        with self._lock:
            count = min(SAMPLES_PER_REQUEST, len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]

    def _put_back(self, batch: list[Written]) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(batch))

    def _post(self, body: bytes) -> str:
        """Return ``ok``, or why not; what a server refuses for good is not asked again."""
        settings = self._settings
        try:
            answer = self._session.ask(
                "POST",
                settings.url,
                name="remote write",
                timeout_seconds=settings.timeout,
                limit_bytes=READ_OF_ANSWER_BYTES,
                is_cut=True,
                data=body,
            )
        except UpstreamError as error:
            return Reason.TIMEOUT if error.reason is Reason.TIMEOUT else Reason.CONNECTION
        if 200 <= answer.status < 300:  # .ok holds for a redirect, which wrote nothing
            return "ok"
        if answer.status == 429 or answer.status >= 500:
            return Reason.BUSY
        log.warning(
            "remote write refused",
            extra={
                "status": f"{answer.status}{elsewhere(answer)}",
                "answer": answer.text[:200].strip(),
            },
        )
        return Reason.REFUSED


def _grouped(batch: list[Written]) -> list[WrittenSeries]:
    """Return the samples by series, each series' in the order of time."""
    by_labels: Mapping[SeriesKey, list[tuple[float, float]]] = defaultdict(list)
    for labels, at_seconds, value in batch:
        by_labels[labels].append((at_seconds, value))
    return [WrittenSeries(labels, sorted(samples)) for labels, samples in by_labels.items()]
