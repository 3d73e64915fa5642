"""An LSTM autoencoder per query: what it cannot write back from a short code is strange.

One network learns the windows of all series, each in its own robust spread; how well it does on
each series is learned for that series alone, so a shape that it never gets right counts for little
there. The network outlives the process, the rest is learned again from the window. Training needs
torch (extra ``deep``), scoring does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from anomaly.autoencoder.network import reconstruct
from anomaly.autoencoder.weights import Weights, initial_weights
from anomaly.detectors import Floats, Moment, Past, Slots, Terms
from anomaly.detectors.refits import REFITS_PER_WINDOW, Refits, SeriesRefits
from anomaly.detectors.ridge_autoregression import normalisation_of
from anomaly.detectors.subspace import whitening_of
from anomaly.energy import energy_of, share_followed, smoothed
from anomaly.joint_subspace import bent
from anomaly.models import Model, UnreadableModelError
from anomaly.slots import resized

if TYPE_CHECKING:
    from anomaly.autoencoder.training import Training

UNITS = 16
WINDOW_SAMPLES = 16
JUDGED_SAMPLES = 4
"""Of the newest samples of a window the errors are judged together."""

SMOOTHING_SAMPLES = 4.0
FOLLOW = share_followed(SMOOTHING_SAMPLES)
SEED = 19971115  # fixed, so that two runs over the same samples agree

TRAINING_WINDOWS = 4_096
STEPS = 300
STEPS_A_SAMPLE = 30
"""The budget of a training: at most so many steps in all, and so many of them at any one sample."""

FEWEST_STEPS = 100
"""With fewer windows there is less to learn: as many steps as windows, but at least these."""

WINDOWS_A_SERIES = 512
"""Of each series the errors are learned from that many windows at most, evenly spread."""

SMALLEST_ERROR = 1e-2
"""In spreads: what the network gets right to this is as good as exact."""

Matrix = npt.NDArray[np.float64]


class LstmAutoencoder:
    """Deviation = root mean square of the whitened errors of the newest samples; 1 is usual."""

    def __init__(self, terms: Terms) -> None:
        history_samples = max(1, int(terms.history_seconds / terms.step_seconds))
        self._history_samples = history_samples
        self._smallest_spread = terms.smallest_spread
        self._minimum_samples = max(terms.minimum_samples, 2 * WINDOW_SAMPLES)
        self._trainings = Refits(self._minimum_samples, history_samples, growth_ratio=1.0)
        self._refits = SeriesRefits(self._minimum_samples, history_samples)
        self._training: Training | None = None
        self._training_until_seconds = float("-inf")
        self._weights: Weights | None = None
        self._model: Model | None = None
        self._trained_until_seconds = float("-inf")
        self._centre = np.empty(0)
        self._spread = np.empty(0)
        self._mean = np.empty((0, JUDGED_SAMPLES))
        self._whitening = np.empty((0, JUDGED_SAMPLES, JUDGED_SAMPLES))
        self._energy = np.empty(0)
        self._sharp = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._refits.resize(slots)
        self._centre = resized(self._centre, slots, np.nan)
        self._spread = resized(self._spread, slots, np.nan)
        self._mean = resized(self._mean, slots, np.nan)
        self._whitening = resized(self._whitening, slots, np.nan)
        self._energy = resized(self._energy, slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Drop what was learned of the given slots; the network belongs to the query and stays."""
        self._refits.forget(slots)
        for rows in (self._centre, self._spread, self._mean, self._whitening, self._energy):
            rows[slots] = np.nan

    def score(self, moment: Moment) -> Floats:
        """Return the whitened length of the newest errors, smoothed over a few samples."""
        deviation: Floats = np.full(moment.values.shape, np.nan)
        if self._weights is not None:
            windows = np.column_stack(
                [moment.recent[:, 1 - WINDOW_SAMPLES :].astype(np.float64), moment.values]
            )
            missing = WINDOW_SAMPLES - windows.shape[1]
            windows = np.pad(windows, ((0, 0), (missing, 0)), constant_values=np.nan)
            normal = bent(gaps_filled(windows), self._centre[:, None], self._spread[:, None])
            judged = np.isfinite(moment.values) & np.isfinite(normal).all(axis=1)
            errors = self._errors(np.where(judged[:, None], normal, 0.0))
            components = np.einsum("sw,swc->sc", errors - self._mean, self._whitening)
            deviation = np.where(judged, np.sqrt(np.mean(components**2, axis=1)), np.nan)
        self._sharp = deviation
        energy = energy_of(deviation)
        self._energy = smoothed(self._energy, energy, FOLLOW)
        return np.where(np.isnan(energy), np.nan, np.sqrt(self._energy))

    def sharp(self) -> Floats:
        """Return the deviation of the samples scored last, without smoothing."""
        return self._sharp

    def model(self) -> Model | None:
        """Return the network in force; None before the first training ended."""
        return self._model

    def take_up(self, model: Model) -> None:
        """Judge with a network trained before, and train on with the samples since then.

        Raises:
            UnreadableModelError: it is none, or its code has another length.
        """
        weights = Weights.from_bytes(model.content)
        if weights.units != UNITS:
            raise UnreadableModelError(f"expected a code of {UNITS} numbers, got {weights.units}")
        between_trainings = max(self._minimum_samples, self._history_samples // REFITS_PER_WINDOW)
        self._trainings = Refits(between_trainings, self._history_samples, growth_ratio=1.0)
        self._weights, self._model = weights, model
        self._trained_until_seconds = model.until_seconds

    def learn(self, past: Past) -> None:
        """Carry a training along, or begin one when its time has come."""
        seen = np.isfinite(past.newest)
        due = self._refits.due(seen)
        is_new = past.at_seconds > self._trained_until_seconds
        if is_new and seen.any() and self._trainings.due() and self._training is None:
            self._training = self._begin_training(past.window())
            self._training_until_seconds = past.at_seconds
        if self._training is not None and self._training.advance(STEPS_A_SAMPLE):
            self._weights = self._training.weights()
            self._model = Model(self._weights.to_bytes(), self._training_until_seconds)
            self._training = None
            due = np.arange(len(past.newest))
        if self._weights is not None and len(due):
            self._learn_errors(due, past.window())

    def _begin_training(self, window: npt.NDArray[np.float32]) -> Training | None:
        from anomaly.autoencoder.training import Training  # noqa: PLC0415  # torch only where used

        rows = np.flatnonzero(np.isfinite(window).sum(axis=1) >= self._minimum_samples)
        if not len(rows):
            return None
        each = max(1, TRAINING_WINDOWS // len(rows))
        pieces, _, _ = self._pieces(window[rows].astype(np.float64), each)
        windows = pieces[np.isfinite(pieces).all(axis=2)]
        if not len(windows):
            return None
        begin = self._weights or initial_weights(UNITS, SEED)
        steps = min(STEPS, max(FEWEST_STEPS, len(windows)))
        return Training(begin, windows.astype(np.float32), steps=steps, seed=SEED)

    def _pieces(self, window: Matrix, each: int) -> tuple[Matrix, Floats, Floats]:
        """Return of each row at most so many windows in its spreads, with centre and spread."""
        centre, spread = normalisation_of(window, self._smallest_spread)
        normal = bent(gaps_filled(window), centre[:, None], spread[:, None])
        pieces = np.lib.stride_tricks.sliding_window_view(normal, WINDOW_SAMPLES, axis=1)
        chosen = np.unique(np.linspace(0, pieces.shape[1] - 1, each).astype(np.intp))
        return pieces[:, chosen], centre, spread

    def _learn_errors(self, due: Slots, window: npt.NDArray[np.float32]) -> None:
        enough = due[np.isfinite(window[due]).sum(axis=1) >= self._minimum_samples]
        for slots in np.array_split(enough, max(1, len(enough) // 16)):
            if not len(slots):
                continue
            pieces, centre, spread = self._pieces(
                window[slots].astype(np.float64), WINDOWS_A_SERIES
            )
            usable = np.isfinite(pieces).all(axis=2)
            errors = np.full((*pieces.shape[:2], JUDGED_SAMPLES), np.nan)
            errors[usable] = self._errors(pieces[usable])
            floor = np.maximum(SMALLEST_ERROR, self._smallest_spread / spread)
            self._mean[slots], self._whitening[slots] = whitening_of(errors, floor**2)
            self._centre[slots], self._spread[slots] = centre, spread

    def _errors(self, windows: Matrix) -> Matrix:
        """Return what is left of the newest samples of each window."""
        assert self._weights is not None  # noqa: S101  # asked only when there are
        written = reconstruct(self._weights, windows.astype(np.float32))
        errors: Matrix = (windows - written)[:, -JUDGED_SAMPLES:]
        return errors


def gaps_filled(rows: Matrix) -> Matrix:
    """Return the rows with each gap holding the sample after it; one at the end stays."""
    columns = np.arange(rows.shape[1])
    known = np.where(np.isfinite(rows), columns, rows.shape[1] - 1)
    after = np.minimum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    filled: Matrix = np.take_along_axis(rows, after, axis=1)
    return filled
