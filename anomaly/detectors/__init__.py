"""The seam for detectors: what one is given, what it answers, and where each is found.

A detector judges all series of a query at once. Series live in slots: row ``i`` of every array is
the series in slot ``i``. A sample is always scored before it is learned, and it is learned only
when its fate is known, so a detector never has to take anything back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from anomaly.season import DAILY, Season
from anomaly.slots import Rows

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Slots = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Moment:
    """One sample of every series, to be scored.

    Attributes:
        at_seconds: Unix time of the samples.
        values: one a slot, NaN where there is none.
        recent: slots x samples, what came just before, newest last, learned or not.
    """

    at_seconds: float
    values: Floats
    recent: npt.NDArray[np.float32]


class Window(Protocol):
    """Gives what may be learned from."""

    def __call__(self, slots: Slots | slice = slice(None), /) -> npt.NDArray[np.float32]:
        """Return slots x samples, oldest first, NaN where there is none or it is an incident's."""


@dataclass(frozen=True, slots=True)
class Past:
    """What may be learned from, after one more sample of each series has been settled.

    Attributes:
        at_seconds: Unix time of the newest settled samples.
        newest: one a slot; NaN where there is none or it belongs to an incident.
        window: gives what is settled; it is a copy, so ask rarely, and only for those wanted.
    """

    at_seconds: float
    newest: Floats
    window: Window


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the next sample should be: the centre, and one robust standard deviation around it."""

    centre: Floats
    spread: Floats


@dataclass(frozen=True, slots=True)
class Terms:
    """What a detector is made with.

    Attributes:
        step_seconds: spacing of samples.
        history_seconds: length of the window.
        minimum_samples: settled samples of a series before it may be judged.
        season: what repeats itself, for detectors that learn a profile.
        smallest_spread: a spread that people would not care about, in the series' unit; 0 when
            nobody said.
        shared: detectors that are there already, by name. Who asks for one of these may score with
            it; its owner makes room in it and teaches it.
    """

    step_seconds: float
    history_seconds: float
    minimum_samples: int
    smallest_spread: float
    season: Season = DAILY
    shared: Mapping[str, Detector] = field(default_factory=dict)


class Detector(Rows, Protocol):
    """Says how strange samples are, in robust standard deviations of what is normal."""

    def score(self, moment: Moment) -> Floats:
        """Return the deviation (>= 0) of each sample, NaN where there is no sample or no model.

        Called once for every sample, in order; a detector may remember what it saw.
        """

    def learn(self, past: Past) -> None:
        """Take one more settled sample of each series into account."""


@runtime_checkable
class Smoothing(Protocol):
    """A detector whose deviation is an average over the last samples."""

    def sharp(self) -> Floats:
        """Return the deviation of the samples scored last, each on its own."""


class Envelope(Detector, Protocol):
    """A detector that also knows what value it expected."""

    def expect(self, at_seconds: float) -> Expectation:
        """Return what is expected of each slot at that time, NaN while warming."""


DETECTORS = {
    "ensemble": "anomaly.detectors.ensemble:Ensemble",
    "ewma": "anomaly.detectors.ewma:Ewma",
    "isolation-forest": "anomaly.detectors.isolation_forest:IsolationForestDetector",
    "lstm-autoencoder": "anomaly.detectors.lstm_autoencoder:LstmAutoencoder",
    "peer-group": "anomaly.detectors.peer_group:PeerGroup",
    "ridge-autoregression": "anomaly.detectors.ridge_autoregression:RidgeAutoregression",
    "robust-zscore": "anomaly.detectors.robust_zscore:RobustZScore",
    "seasonal-envelope": "anomaly.detectors.seasonal_envelope:SeasonalEnvelope",
    "standstill": "anomaly.detectors.standstill:Standstill",
    "subspace": "anomaly.detectors.subspace:Subspace",
}
"""Name in ``anomaly.yml`` to where the class is; imported only when a query asks for it."""

EXTRAS = {"lstm-autoencoder": ("deep", "torch")}
"""Detectors that need more than the room itself: which extra brings it, and what to look for."""

ENVELOPES = ("robust-zscore", "seasonal-envelope")
"""The detectors that can draw the band."""


def missing_extra(name: str) -> str | None:
    """Return the extra that a detector needs and that is not installed; None when all is there."""
    extra, module = EXTRAS.get(name, ("", "numpy"))
    return None if find_spec(module) else extra


def open_detector(name: str, terms: Terms) -> Detector:
    """Return a new detector; raise KeyError for a name that is not in the table."""
    module, _, attribute = DETECTORS[name].partition(":")
    detector: Detector = getattr(import_module(module), attribute)(terms)
    return detector


def open_envelope(name: str, terms: Terms) -> Envelope:
    """Return a new detector that draws a band; raise KeyError for one that cannot."""
    if name not in ENVELOPES:
        raise KeyError(name)
    module, _, attribute = DETECTORS[name].partition(":")
    envelope: Envelope = getattr(import_module(module), attribute)(terms)
    return envelope
