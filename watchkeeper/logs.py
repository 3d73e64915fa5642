"""One JSON object a line on standard error, for every service."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object: ts, level, service, logger, msg, then its extras."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON; never raises for an odd extra."""
        entry: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        entry.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, ensure_ascii=False)


class PlainFormatter(logging.Formatter):
    """Formats a record as one line for whoever started a command: what happened, and its extras."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        extras = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        told = ", ".join(f"{key} {value}" for key, value in extras.items())
        line = f"{record.getMessage()}: {told}" if told else record.getMessage()
        return " ".join(line.split())


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module."""
    return logging.getLogger(name)


def configure(service: str, *, level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log record of this process to ``stream`` (standard error) as JSON lines."""
    _send_to(stream or sys.stderr, JsonFormatter(service), level)
    # These libraries announce their ordinary work at INFO, once a job or request.
    for noisy in ("apscheduler", "waitress.queue"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def configure_for_people(*, stream: TextIO | None = None) -> None:
    """Send warnings and worse to ``stream`` (standard error) in plain words, for a command."""
    _send_to(stream or sys.stderr, PlainFormatter(), "warning")


def _send_to(stream: TextIO, formatter: logging.Formatter, level: str) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Its warnings name the paths it calls, and the path of an incoming webhook is its secret.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
