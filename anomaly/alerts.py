"""Telling alerting, as any Alertmanager client does: what fires is repeated until it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from anomaly.episodes import Episode, series_id
from anomaly.settings import AlertSettings, QuerySettings
from anomaly.view import SeriesView
from watchkeeper.clock import Clock, format_rfc3339
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

ALERT_NAME = "Anomaly"

SENT_TOGETHER = 1_000
"""Alerts of one request; ten times as many could be more than a receiver takes at once."""

EXPIRES_AFTER_RESENDS = 4
"""As Prometheus does: an alert we no longer repeat ends by itself after four intervals."""

FIRST_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """An episode with what is known of its series now; the view is None when it is gone.

    ``explained`` are further annotations.
    """

    episode: Episode
    query: QuerySettings
    view: SeriesView | None
    explained: Mapping[str, str] = field(default_factory=dict)


def due(episode: Episode, *, now_seconds: float, keep_resolved_seconds: float, told: bool) -> bool:
    """Return whether an episode is to be sent now.

    Those under way always are; those over are repeated for a while, and until told once.
    """
    if episode.ended_seconds is None:
        return True
    return not told or now_seconds - episode.ended_seconds < keep_resolved_seconds


def alert_of(
    report: Report, *, now_seconds: float, resend_seconds: float, console_url: str
) -> dict[str, Any]:
    """Return the alert of an episode in Alertmanager's v2 shape; what moves is in annotations."""
    episode = report.episode
    ends = episode.ended_seconds
    if ends is None:
        ends = now_seconds + EXPIRES_AFTER_RESENDS * resend_seconds
    return {
        "labels": labels_of(episode, report.query),
        "annotations": _annotations(report),
        # It may have begun by a clock that has been set back since.
        "startsAt": _rfc3339(min(episode.started_seconds, ends)),
        "endsAt": _rfc3339(ends),
        "generatorURL": _series_url(console_url, report),
    }


def labels_of(episode: Episode, query: QuerySettings) -> dict[str, str]:
    """Return the labels of an episode's alert.

    They depend on the series and its query alone: every repetition has the same fingerprint.
    """
    return {
        "service": "unknown",
        **dict(episode.key),
        **query.labels,
        "alertname": ALERT_NAME,
        "severity": query.severity,
        "query": episode.query,
    }


def _annotations(report: Report) -> dict[str, str]:
    query, view = report.query, report.view
    what = query.summary or report.episode.query.replace("-", " ")
    where = ", ".join(f"{name} {value}" for name, value in report.episode.key)
    annotations = {"summary": f"{what} is unusual: {where}" if where else f"{what} is unusual"}
    annotations |= report.explained
    if query.runbook:
        annotations["runbook"] = query.runbook
    if view is None:
        return annotations
    numbers = {
        "actual": view.actual,
        "expected": view.expected,
        "lower": view.lower,
        "upper": view.upper,
        "score": view.score,
    }
    told = {name: f"{value:.6g}" for name, value in numbers.items() if value is not None}
    annotations |= {**told, "detector": view.detector}
    if {"actual", "expected", "lower", "upper"} <= told.keys():
        annotations["description"] = (
            f"{what} is {told['actual']}, expected {told['expected']} "
            f"({told['lower']} to {told['upper']}), since "
            f"{_rfc3339(report.episode.started_seconds)}."
        )
    return annotations


def _series_url(console_url: str, report: Report) -> str:
    return f"{console_url}/series/{series_id(report.episode.query, report.episode.key)}"


def _rfc3339(seconds: float) -> str:
    return format_rfc3339(datetime.fromtimestamp(seconds, UTC))


class AlertReceiver(Protocol):
    """Takes alerts at ``/api/v2/alerts``."""

    def post(self, path: str, body: Any = None) -> Any:
        """Send ``body`` as JSON; raise UpstreamError when it was not taken."""


class Courier:
    """Repeats what is under way, and what is over for a while, on a thread of its own.

    Every send carries the whole present state, so a lost one is made good by the next.

    Args:
        receiver: our alerting, or an Alertmanager.
        settings: how often to repeat; asked anew each time.
        reports: the episodes to tell of.
        console_url: where a person can look at the series.
        clock: for the time of a send.
        sent: called with the outcome of each send, ``ok`` or the reason.
    """

    def __init__(
        self,
        receiver: AlertReceiver,
        *,
        settings: Callable[[], AlertSettings],
        reports: Callable[[], Sequence[Report]],
        console_url: str,
        clock: Clock,
        sent: Callable[[str], None] = lambda _outcome: None,
    ) -> None:
        self._receiver = receiver
        self._settings = settings
        self._reports = reports
        self._console_url = console_url
        self._clock = clock
        self._sent = sent
        self._told_resolved: set[str] = set()
        self._made_seconds = clock.now().timestamp()
        self._failures = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alert-courier", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Send now: an episode began or ended."""
        self._wake.set()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            self._send_supervised()
            self._wake.wait(self._pause_seconds())

    def _send_supervised(self) -> None:
        try:
            self.send_due()
        except Exception:  # a surprise in one report must not silence all alerts for ever
            log.exception("alerts could not be made; trying again")
            self._failures += 1
            self._sent(str(Reason.UNEXPECTED))

    def _pause_seconds(self) -> float:
        resend = self._settings().resend
        if not self._failures:
            return resend
        return min(resend, FIRST_RETRY_SECONDS * 2.0 ** (self._failures - 1))

    def send_due(self) -> None:
        """Send everything that is to be sent now, as much as goes in one request at a time."""
        now = self._clock.now().timestamp()
        settings = self._settings()
        reports = self._reports()
        self._told_resolved &= {report.episode.id for report in reports}
        batch = [
            report
            for report in reports
            if due(
                report.episode,
                now_seconds=now,
                keep_resolved_seconds=settings.keep_resolved,
                told=self._was_told(report.episode, settings),
            )
        ]
        for first in range(0, len(batch), SENT_TOGETHER):
            if not self._send(batch[first : first + SENT_TOGETHER], now, settings):
                return

    def _send(self, batch: Sequence[Report], now_seconds: float, settings: AlertSettings) -> bool:
        alerts = [
            alert_of(
                report,
                now_seconds=now_seconds,
                resend_seconds=settings.resend,
                console_url=self._console_url,
            )
            for report in batch
        ]
        try:
            self._receiver.post("/api/v2/alerts", alerts)
        except UpstreamError as error:
            self._note_failure(error)
            return False
        self._note_success(batch)
        return True

    def _was_told(self, episode: Episode, settings: AlertSettings) -> bool:
        if episode.id in self._told_resolved:
            return True
        # What ended well before this process began has expired at the receiver by itself.
        ended = episode.ended_seconds
        return ended is not None and ended < self._made_seconds - settings.keep_resolved

    def _note_failure(self, error: UpstreamError) -> None:
        self._failures += 1
        self._sent(str(error.reason))
        if self._failures == 1:
            log.warning("alerts cannot be sent; retrying", extra={"error": str(error)})

    def _note_success(self, batch: Sequence[Report]) -> None:
        if self._failures:
            log.info("alerts are sent again", extra={"failed_attempts": self._failures})
        self._failures = 0
        self._sent("ok")
        self._told_resolved |= {one.episode.id for one in batch if not one.episode.is_open}
