"""What really happened, as people wrote it down or as a fault was put in."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from anomaly.backtest.samples import seconds_of
from anomaly.episodes import Episode
from anomaly.panel import SeriesKey
from watchkeeper.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Event:
    """A stretch in which something was wrong.

    Attributes:
        query: None for every query.
        labels: those that a series must carry to be concerned.
        kind: what it was, for the report.
    """

    starts_seconds: float
    ends_seconds: float
    query: str | None = None
    labels: SeriesKey = ()
    kind: str = "labelled"

    def concerns(self, query: str, key: SeriesKey) -> bool:
        """Return whether an alarm on that series can be about it."""
        return self.query in (None, query) and set(self.labels) <= set(key)

    def explains(self, alarm: Episode, *, until_seconds: float, grace_seconds: float) -> bool:
        """Return whether an alarm lies in it, or begins within the grace after it."""
        if not self.concerns(alarm.query, alarm.key):
            return False
        ended = until_seconds if alarm.ended_seconds is None else alarm.ended_seconds
        starts_in_time = alarm.started_seconds <= self.ends_seconds + grace_seconds
        return starts_in_time and ended >= self.starts_seconds


def events_from(path: Path) -> list[Event]:
    """Read a CSV with ``start`` and ``end``; ``query`` and any label may be columns, too.

    Raises:
        ConfigError: naming the line that cannot be read.
    """
    with path.open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        missing = {"start", "end"} - set(reader.fieldnames or ())
        if missing:
            text = f"expected the columns start and end, {sorted(missing)} missing"
            raise ConfigError([Problem(str(path), 1, "", text)])
        return [_event_of(row, path, line) for line, row in enumerate(reader, start=2)]


def _event_of(row: dict[str, str], path: Path, line: int) -> Event:
    known = {"start", "end", "query", "kind"}
    labels = ((name, value) for name, value in row.items() if name not in known and value)
    try:
        starts, ends = seconds_of(row["start"]), seconds_of(row["end"])
    except (ValueError, TypeError) as error:
        raise ConfigError([Problem(str(path), line, "", str(error))]) from None
    if ends < starts:
        raise ConfigError([Problem(str(path), line, "end", "expected a time at or after start")])
    return Event(
        starts, ends, row.get("query") or None, tuple(sorted(labels)), row.get("kind") or "labelled"
    )


def concerning(events: Iterable[Event], query: str, keys: Iterable[SeriesKey]) -> list[Event]:
    """Return the events that can be about one of a query's series."""
    known = list(keys)
    return [event for event in events if any(event.concerns(query, key) for key in known)]
