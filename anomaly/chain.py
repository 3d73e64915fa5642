"""The order in which a sample is judged, in one place.

    admissible -> expected -> deviation -> entity -> evidence (level, habituation, novelty)
    -> calibrated score -> policy -> persistence -> episode

Learning follows later, once it is known whether the sample belongs to an episode.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from anomaly.calibration import Calibration, alarm_rate_of
from anomaly.corrections import Tolerance
from anomaly.detectors import (
    Detector,
    Envelope,
    Flags,
    Floats,
    Moment,
    Past,
    Slots,
    Smoothing,
    Terms,
    open_detector,
    open_envelope,
)
from anomaly.detectors.refits import Spread
from anomaly.energy import level_of
from anomaly.entities import Entities
from anomaly.habituation import Habituation
from anomaly.models import Model, Trained
from anomaly.novelty import Novelty
from anomaly.panel import SeriesKey, share_of
from anomaly.persistence import Persistence, Turn
from anomaly.policy import Band, Policy
from anomaly.season import season_of
from anomaly.seasons import Bins, Profile, Seasonal
from anomaly.settings import QuerySettings
from anomaly.slots import Rows

BAND = "band"
"""Stands for the evidence without novelty: an incident that was new leaves the band as it was."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the chain says of one sample of each series; NaN where it can say nothing.

    ``evidence`` and ``scores`` are by detector: the one in force and its challengers; what the band
    is drawn from is under ``BAND``.
    """

    at_seconds: float
    actual: Floats
    expected: Floats
    band: Band
    evidence: Mapping[str, Floats]
    scores: Mapping[str, Floats]
    turn: Turn


class Chain:
    """The stages of one query with what they remember of its series."""

    def __init__(self, settings: QuerySettings) -> None:
        terms = terms_of(settings)
        self.champion = settings.detector
        self._envelope: Envelope = open_envelope(settings.envelope, terms)
        terms = replace(terms, shared={settings.envelope: self._envelope})
        self._detectors: dict[str, Detector] = {
            name: self._envelope if name == settings.envelope else open_detector(name, terms)
            for name in dict.fromkeys((settings.detector, *settings.challengers))
        }
        # What is sharp in one channel of an entity is not yet news of the entity.
        self._sharp = {
            name: one.sharp
            for name, one in self._detectors.items()
            if isinstance(one, Smoothing) and not (settings.group_by and name == self.champion)
        }
        alarm_rate = alarm_rate_of(
            settings.sensitivity, settings.step, settings.persistence.anomalous
        )
        self._calibrations = {name: Calibration(alarm_rate) for name in (*self._detectors, BAND)}
        self._novelties = {
            name: Novelty(settings.step, sharp=name in self._sharp) for name in self._detectors
        }
        self._habituations = {name: Habituation(settings.step) for name in self._detectors}
        self._entities = Entities(settings.group_by, terms) if settings.group_by else None
        self._policy = Policy(settings.direction, settings.minimum_deviation, settings.valid_range)
        self._persistence = Persistence(settings.persistence, settings.step)

    def admissible(self, values: Floats) -> Floats:
        """Return ``values`` with NaN in place of all that must be neither judged nor learned."""
        return self._policy.admissible(values)

    def judge(self, moment: Moment, *, tolerance: Tolerance | None, quiet: Flags) -> Verdict:
        """Judge one sample of each series.

        Args:
            moment: values that are admissible.
            tolerance: what people called no problem; None when they said nothing.
            quiet: whose sample can begin or end no episode, such as history that is replayed.
        """
        expected = self._envelope.expect(moment.at_seconds)
        evidence = self._evidence(moment)
        scores = {
            name: self._policy.apply(
                self._calibrations[name].score(evidence[name]),
                moment.values,
                expected.centre,
                tolerance,
            )
            for name in self._detectors
        }
        band = self._policy.band(expected, self._calibrations[BAND].thresholds())
        judged = np.where(quiet, np.nan, scores[self.champion])
        turn = self._persistence.advance(moment.at_seconds, judged)
        return Verdict(
            moment.at_seconds, moment.values, expected.centre, band, evidence, scores, turn
        )

    def _evidence(self, moment: Moment) -> dict[str, Floats]:
        found = {}
        for name, detector in self._detectors.items():
            deviation = detector.score(moment)
            sharp = self._sharp[name]() if name in self._sharp else None
            if self._entities is not None and name == self.champion:
                deviation = self._entities.deviations(moment, deviation)
            level = level_of(deviation)
            lowered = self._habituations[name].lowered(level, self._persistence.firing)
            found[name] = lowered + self._novelties[name].excess(deviation, sharp)
            if name == self.champion:
                found[BAND] = level
        return found

    def place(self, key: SeriesKey, slot: int) -> None:
        """Note which series is in a slot."""
        if self._entities is not None:
            self._entities.place(key, slot)
        share = share_of(key)
        for one in self._learners():
            if isinstance(one, Spread):
                one.spread(slot, share)

    def recall(self, slot: int, profile: Profile, until_seconds: float) -> None:
        """Let the detectors that learn a season take up what was known of a series."""
        for one in self._learners():
            if isinstance(one, Seasonal):
                one.recall(slot, profile, until_seconds)

    def profiles(self, slots: Slots) -> tuple[Bins, Bins] | None:
        """Return what is known of the season of the given slots; None when nobody learns one."""
        seasonal = next((one for one in self._learners() if isinstance(one, Seasonal)), None)
        return seasonal.profiles(slots) if seasonal else None

    def models(self) -> dict[str, Model]:
        """Return by detector the trained models in force."""
        trained = {n: one.model() for n, one in self._detectors.items() if isinstance(one, Trained)}
        return {name: model for name, model in trained.items() if model is not None}

    def take_up(self, name: str, model: Model) -> None:
        """Let the detector of that name judge with a model; pass over one that is not asked for.

        Raises:
            UnreadableModelError: it is no model of that detector.
        """
        detector = self._detectors.get(name)
        if isinstance(detector, Trained):
            detector.take_up(model)

    def rates(self, ready: Slots, anomalous: Slots) -> dict[str, float]:
        """Return by group the share of its ready series that are anomalous."""
        return self._entities.rates(ready, anomalous) if self._entities is not None else {}

    def settle(self, past: Past, evidence: Mapping[str, Floats], learnable: Flags) -> None:
        """Learn one sample whose fate is known, after everything before it."""
        for name, calibration in self._calibrations.items():
            calibration.learn(evidence[name], learnable)
        for one in self._learners():
            one.learn(past)
        if self._entities is not None:
            self._entities.learn(past)

    def continue_episode(self, slot: int, at_seconds: float) -> None:
        """Take up an episode that was under way before a restart."""
        self._persistence.restore(slot, at_seconds)

    def end_episodes(self, slots: Slots) -> None:
        """Return the given slots to quiet, keeping what was learned of them."""
        self._persistence.forget(slots)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        for part in self._remembering():
            part.resize(slots)

    def forget(self, slots: Slots) -> None:
        """Return the given slots to the state of a series never seen."""
        for part in self._remembering():
            part.forget(slots)
        if self._entities is not None:
            self._entities.forget(slots)

    def _remembering(self) -> list[Rows]:
        parts: list[Rows] = [*self._learners(), *self._calibrations.values()]
        parts += [*self._novelties.values(), *self._habituations.values()]
        return [*parts, self._persistence]

    def _learners(self) -> list[Detector]:
        others = (one for one in self._detectors.values() if one is not self._envelope)
        return [self._envelope, *others]


def terms_of(settings: QuerySettings) -> Terms:
    """Return what a detector of this query is made with."""
    # A deviation of the absolute minimum scores about 1 on a series that was always flat.
    smallest_spread = settings.minimum_deviation.absolute / 4
    return Terms(
        step_seconds=settings.step,
        history_seconds=settings.history,
        minimum_samples=max(2, math.ceil(settings.minimum_history / settings.step)),
        smallest_spread=smallest_spread,
        season=season_of(settings.season, settings.timezone),
    )
