"""A backtest told as data and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anomaly.backtest.events import Event
from anomaly.backtest.measures import Measures, first_alarm, is_true, measure, together
from anomaly.backtest.replay import Replay
from anomaly.episodes import Episode, series_id
from watchkeeper.clock import format_rfc3339

COLUMNS = (
    "query", "series", "alarms", "a week", "false a series-week", "recall", "precision",
    "delay p50", "delay p95",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """Some queries' replays over one stretch, and what really happened in it."""

    replays: Sequence[Replay]
    events: Sequence[Event]

    def measures(self) -> dict[str, Measures]:
        """Return the figures by query."""
        return {one.query: measure(one, self.events) for one in self.replays}


def document(report: Report) -> dict[str, Any]:
    """Return the whole report as JSON takes it.

    ``alarms`` have what a live alert would have had to be acted upon: labels, when it started,
    when it was sent, when it ended.
    """
    measures = report.measures()
    return {
        "from": _text(min((one.from_seconds for one in report.replays), default=0.0)),
        "until": _text(max((one.until_seconds for one in report.replays), default=0.0)),
        "overall": figures(together(list(measures.values()))),
        "queries": [
            {
                "name": one.query,
                "detector": one.settings.detector,
                "sensitivity": one.settings.sensitivity,
                **figures(measures[one.query]),
                "alarm_list": [alarm_document(one, alarm, report.events) for alarm in one.alarms],
                "missed": missed(one, report.events),
            }
            for one in report.replays
        ],
    }


def figures(measures: Measures) -> dict[str, Any]:
    """Return the figures of one query or of all; null where there is nothing to divide by."""
    return {
        "series": measures.series,
        "alarms": measures.alarms,
        "alarms_a_week": measures.alarms_a_week,
        "false_alarms_a_series_week": measures.false_alarms_a_series_week,
        "events": measures.events,
        "recall": measures.recall,
        "precision": measures.precision,
        "delay_seconds_p50": measures.delay_seconds(0.5),
        "delay_seconds_p95": measures.delay_seconds(0.95),
    }


def alarm_document(replay: Replay, alarm: Episode, events: Sequence[Event]) -> dict[str, Any]:
    """Return one alarm; ``true`` is null when nobody said what really happened."""
    fired = alarm.started_seconds if alarm.fired_seconds is None else alarm.fired_seconds
    return {
        "query": alarm.query,
        "series": series_id(alarm.query, alarm.key),
        "labels": {**dict(alarm.key), **replay.settings.labels},
        "severity": replay.settings.severity,
        "starts_at": _text(alarm.started_seconds),
        "fired_at": _text(fired),
        "ends_at": None if alarm.ended_seconds is None else _text(alarm.ended_seconds),
        "peak_score": alarm.peak_score,
        "true": is_true(replay, alarm, events) if events else None,
    }


def missed(replay: Replay, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return the events about which no alarm told."""
    return [
        {
            "kind": event.kind,
            "labels": dict(event.labels),
            "starts_at": _text(event.starts_seconds),
            "ends_at": _text(event.ends_seconds),
        }
        for event in events
        if event.ends_seconds >= replay.from_seconds
        and any(event.concerns(replay.query, key) for key in replay.tracks)
        and first_alarm(replay, event) is None
    ]


def text(report: Report) -> str:
    """Return the report as a table to be read in a terminal."""
    measures = report.measures()
    rows = [COLUMNS, *(row_of(name, one) for name, one in measures.items())]
    if len(measures) > 1:
        rows.append(row_of("together", together(list(measures.values()))))
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def row_of(name: str, measures: Measures) -> tuple[str, ...]:
    """Return one line of the table; a dash where there is nothing to divide by."""
    return (
        name,
        str(measures.series),
        str(measures.alarms),
        number(measures.alarms_a_week),
        number(measures.false_alarms_a_series_week if measures.events else None),
        number(measures.recall),
        number(measures.precision),
        number(measures.delay_seconds(0.5), " s"),
        number(measures.delay_seconds(0.95), " s"),
    )


def number(value: float | None, unit: str = "") -> str:
    """Return a figure for people."""
    return "–" if value is None else f"{value:.3g}{unit}"


def _text(seconds: float) -> str:
    return format_rfc3339(datetime.fromtimestamp(seconds, UTC))
