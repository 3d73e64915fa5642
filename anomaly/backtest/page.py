"""A backtest as one HTML page that needs nothing else: tables, and a plot of each series' band."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import numpy as np

from anomaly.backtest.events import Event
from anomaly.backtest.measures import together
from anomaly.backtest.recording import Track
from anomaly.backtest.replay import Replay
from anomaly.backtest.report import COLUMNS, Report, row_of
from anomaly.detectors import Floats
from anomaly.episodes import Episode
from anomaly.panel import SeriesKey

WIDTH, HEIGHT, MARGIN = 960.0, 160.0, 4.0
PLOTS_A_QUERY = 12
POINTS_A_PLOT = 960

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --paper: #fff; --band: #9ec5e8; --line: #14507e;
  --alarm: #c62828; --event: #f2a900; --rule: #d4dae0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e9ef; --paper: #14191f; --band: #2c4a66;
  --line: #7cc0f5; --alarm: #ff6b61; --event: #c98d00; --rule: #39434d; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { padding: .25rem .8rem .25rem 0; text-align: right; }
td:first-child, th:first-child { text-align: left; } tr + tr td { border-top: 1px solid var(--rule); }
svg { width: 100%; height: auto; border: 1px solid var(--rule); } figure { margin: 1rem 0; }
figcaption { font-size: .9rem; } code { overflow-wrap: anywhere; }
.band { fill: var(--band); opacity: .5; } .actual { fill: none; stroke: var(--line); }
.alarm { fill: var(--alarm); opacity: .35; } .event { fill: var(--event); opacity: .35; }
"""  # noqa: E501  # a style sheet, one rule a line


def page(report: Report) -> str:
    """Return the page."""
    measures = report.measures()
    rows = [row_of(name, one) for name, one in measures.items()]
    rows.append(row_of("together", together(list(measures.values()))))
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>Backtest</title><style>{STYLE}</style><h1>Backtest</h1>",
        f"<p>{escape(_stretch(report.replays))}</p>",
        _table(rows),
        "<p>Shaded: the expected band. Red: alarms. Amber: what really happened.</p>",
        *(_query(replay, report.events) for replay in report.replays),
        "</html>",
    ]
    return "\n".join(parts)


def _stretch(replays: Sequence[Replay]) -> str:
    if not replays:
        return "No query was replayed."
    first = min(one.from_seconds for one in replays)
    last = max(one.until_seconds for one in replays)
    return f"From {_time(first)} to {_time(last)}."


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th scope=col>{escape(cell)}" for cell in COLUMNS)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in row) for row in rows)
    return f"<table><thead><tr>{head}<tbody>{body}</table>"


def _query(replay: Replay, events: Sequence[Event]) -> str:
    shown = most_telling(replay, events)
    left_out = len(replay.tracks) - len(shown)
    note = f"<p>{left_out} more series are not drawn.</p>" if left_out else ""
    figures = "".join(_figure(replay, key, events) for key in shown)
    expression = escape(replay.settings.expression)
    return f"<h2>{escape(replay.query)}</h2><p><code>{expression}</code></p>{figures}{note}"


def most_telling(replay: Replay, events: Sequence[Event]) -> list[SeriesKey]:
    """Return the series to draw: those with alarms first, then those with events."""
    alarms = {alarm.key for alarm in replay.alarms}

    def rank(key: SeriesKey) -> tuple[bool, bool, SeriesKey]:
        concerned = any(event.concerns(replay.query, key) for event in events)
        return (key not in alarms, not concerned, key)

    return sorted(replay.tracks, key=rank)[:PLOTS_A_QUERY]


def _figure(replay: Replay, key: SeriesKey, events: Sequence[Event]) -> str:
    track = replay.tracks[key]
    alarms = [alarm for alarm in replay.alarms if alarm.key == key]
    told = [event for event in events if event.concerns(replay.query, key)]
    name = ", ".join(f"{label}={value}" for label, value in key) or "the series"
    caption = f"{name}: {len(alarms)} alarm{'' if len(alarms) == 1 else 's'}"
    drawn = drawing(track, alarms, told, until_seconds=replay.until_seconds, label=caption)
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def drawing(
    track: Track,
    alarms: Sequence[Episode],
    events: Sequence[Event],
    *,
    until_seconds: float,
    label: str,
) -> str:
    """Return an SVG of one series: its samples, its band, its alarms and what happened."""
    times = track.times_seconds
    stride = max(1, -(-len(times) // POINTS_A_PLOT))
    first, last = (float(times[0]), float(times[-1])) if len(times) else (0.0, 1.0)
    known = np.concatenate([track.actual, track.lower, track.upper])
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)

    def across(seconds: Floats | float) -> Floats:
        share = (np.asarray(seconds) - first) / max(last - first, 1e-9)
        return np.clip(share, 0.0, 1.0) * WIDTH

    def down(values: Floats) -> Floats:
        share = (values - low) / max(high - low, 1e-12)
        return MARGIN + (1 - share) * (HEIGHT - 2 * MARGIN)

    spans = [_span("event", across(e.starts_seconds), across(e.ends_seconds)) for e in events]
    for alarm in alarms:
        ended = until_seconds if alarm.ended_seconds is None else alarm.ended_seconds
        spans.append(_span("alarm", across(alarm.started_seconds), across(ended)))
    x = across(times[::stride])
    band = _outline(x, down(track.lower[::stride]), down(track.upper[::stride]))
    line = _path(x, down(_furthest(track, stride)))
    return (
        f"<svg viewBox='0 0 {WIDTH:g} {HEIGHT:g}' role=img"
        f" aria-label='{escape(label, quote=True)}'>"
        f"{''.join(spans)}<path class=band d='{band}'/><path class=actual d='{line}'/></svg>"
    )


def _span(kind: str, begin: Floats, end: Floats) -> str:
    width = max(1.5, float(end - begin))
    return f"<rect class={kind} x={float(begin):.1f} y=0 width={width:.1f} height={HEIGHT:g} />"


def _furthest(track: Track, stride: int) -> Floats:
    """Return of every piece of the samples the one that is furthest from what was expected."""
    if stride == 1:
        return track.actual
    found = []
    for first in range(0, len(track.actual), stride):
        piece = track.actual[first : first + stride]
        distance = np.abs(piece - np.nan_to_num(track.expected[first : first + stride]))
        known = np.isfinite(distance)
        found.append(piece[np.nanargmax(distance)] if known.any() else np.nan)
    return np.array(found)


def _path(x: Floats, y: Floats) -> str:
    parts, pen_up = [], True
    for across, down in zip(x.tolist(), y.tolist(), strict=True):
        if not np.isfinite(down):
            pen_up = True
            continue
        parts.append(f"{'M' if pen_up else 'L'}{across:.1f} {down:.1f}")
        pen_up = False
    return "".join(parts)


def _outline(x: Floats, lower: Floats, upper: Floats) -> str:
    known = np.isfinite(lower) & np.isfinite(upper)
    if not known.any():
        return ""
    forth = _path(x[known], upper[known])
    back = _path(x[known][::-1], lower[known][::-1]).replace("M", "L", 1)
    return f"{forth}{back}Z"
