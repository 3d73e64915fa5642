"""How good the alarms were: recall, precision, delay, and how many a week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.backtest.events import Event, concerning
from anomaly.backtest.replay import Replay
from anomaly.episodes import Episode


@dataclass(frozen=True, slots=True)
class Measures:
    """Figures of one query, or of several together; None where there is nothing to divide by.

    Attributes:
        true_alarms: those that an event explains.
        delays_seconds: of each event found, from its start to the first alarm about it.
    """

    series: int
    series_weeks: float
    weeks: float
    alarms: int
    true_alarms: int
    events: int
    found: int
    delays_seconds: tuple[float, ...]

    @property
    def recall(self) -> float | None:
        """Return the share of events that an alarm told of."""
        return self.found / self.events if self.events else None

    @property
    def precision(self) -> float | None:
        """Return the share of alarms that an event explains; None without any event."""
        return self.true_alarms / self.alarms if self.alarms and self.events else None

    @property
    def alarms_a_week(self) -> float | None:
        """Return how many alarms a week of this would bring."""
        return self.alarms / self.weeks if self.weeks else None

    @property
    def false_alarms_a_series_week(self) -> float | None:
        """Return how many alarms that no event explains come a week and series."""
        false = self.alarms - self.true_alarms
        return false / self.series_weeks if self.series_weeks else None

    def delay_seconds(self, quantile: float) -> float | None:
        """Return that quantile, in [0, 1], of the delays."""
        if not self.delays_seconds:
            return None
        return float(np.quantile(self.delays_seconds, quantile))


def measure(replay: Replay, events: Sequence[Event]) -> Measures:
    """Return the figures of one query."""
    known = concerning(events, replay.query, replay.tracks)
    known = [event for event in known if event.ends_seconds >= replay.from_seconds]
    first_alarms = [first_alarm(replay, event) for event in known]
    delays = tuple(
        max(0.0, _fired(alarm) - event.starts_seconds)
        for event, alarm in zip(known, first_alarms, strict=True)
        if alarm is not None
    )
    true_alarms = sum(is_true(replay, alarm, known) for alarm in replay.alarms)
    return Measures(
        series=len(replay.tracks),
        series_weeks=len(replay.tracks) * replay.weeks,
        weeks=replay.weeks,
        alarms=len(replay.alarms),
        true_alarms=true_alarms,
        events=len(known),
        found=len(delays),
        delays_seconds=delays,
    )


def together(measures: Sequence[Measures]) -> Measures:
    """Return the figures of several queries over the same stretch."""
    return Measures(
        series=sum(one.series for one in measures),
        series_weeks=sum(one.series_weeks for one in measures),
        weeks=max((one.weeks for one in measures), default=0.0),
        alarms=sum(one.alarms for one in measures),
        true_alarms=sum(one.true_alarms for one in measures),
        events=sum(one.events for one in measures),
        found=sum(one.found for one in measures),
        delays_seconds=tuple(delay for one in measures for delay in one.delays_seconds),
    )


def first_alarm(replay: Replay, event: Event) -> Episode | None:
    """Return the alarm that told of an event first; None when none did."""
    about = (alarm for alarm in replay.alarms if _explains(replay, event, alarm))
    return min(about, key=_fired, default=None)


def is_true(replay: Replay, alarm: Episode, events: Sequence[Event]) -> bool:
    """Return whether an event explains the alarm."""
    return any(_explains(replay, event, alarm) for event in events)


def _explains(replay: Replay, event: Event, alarm: Episode) -> bool:
    settings = replay.settings
    return event.explains(
        alarm,
        until_seconds=replay.until_seconds,
        grace_seconds=settings.persistence.of * settings.step,
    )


def _fired(alarm: Episode) -> float:
    return alarm.started_seconds if alarm.fired_seconds is None else alarm.fired_seconds
