"""Sending the report once a day, also when the console was down or restarted at the time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dashboards.report import mail
from dashboards.report.period import Period
from dashboards.report.report import Report
from dashboards.report.settings import ReportSettings
from watchkeeper import addresses
from watchkeeper.clock import Clock
from watchkeeper.errors import UpstreamError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

LOOK_SECONDS = 30.0
LATE = timedelta(hours=6)
"""A console that comes up later than this leaves the day's report out: the next is near."""


def due(now: datetime, last_day: date | None, settings: ReportSettings) -> date | None:
    """Return the day whose report is to be sent now, or None.

    Args:
        now: aware.
        last_day: the day whose report was sent last.
        settings: when it is sent.
    """
    local = now.astimezone(ZoneInfo(settings.zone))
    today = local.date()
    at = datetime.combine(today, settings.at, local.tzinfo)
    if not at <= local < at + LATE:
        return None
    return None if last_day is not None and last_day >= today else today


class Schedule:
    """Sends when it is due, and remembers in a file that it did.

    Args:
        settings: asked each time; None while no report is wanted.
        gather: reads a report of a period.
        directory: where it remembers.
        clock: the time.
    """

    def __init__(
        self,
        settings: Callable[[], ReportSettings | None],
        gather: Callable[[Period], Report],
        *,
        directory: Path,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._gather = gather
        self._sent = directory / "report-sent"
        self._clock = clock
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to look, on a thread of its own."""
        threading.Thread(target=self._run, name="report", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def look(self) -> bool:
        """Send the report if it is due; return whether it was sent.

        Raises:
            UpstreamError: the mail server did not take it; it stays due.
        """
        settings = self._settings()
        now = self._clock.now()
        day = due(now, self._last_day(), settings) if settings else None
        if settings is None or day is None:
            return False
        found = self._gather(Period.last(settings.last_seconds, until=now))
        console = addresses.url_of("console")
        message = mail.compose(found, settings.mail, now=now, console_url=console)
        mail.send(message, settings.mail)
        self._sent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sent.write_text(day.isoformat(), encoding="utf-8")
        log.info("the report was sent", extra={"to": list(settings.mail.to)})
        return True

    def _last_day(self) -> date | None:
        try:
            return date.fromisoformat(self._sent.read_text(encoding="utf-8").strip())
        except (FileNotFoundError, ValueError):
            return None

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except UpstreamError as error:
                log.warning("the report was not sent", extra={"problem": str(error)})
