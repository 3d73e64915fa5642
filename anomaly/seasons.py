"""What longer seasons looked like, kept on disk: their samples are no longer in the history.

A week cannot be learned again from a day of samples. What a detector knows of each time of the week
is kept, with the time until which it had learned; after a restart the samples since then, and only
those, teach it more.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Slots
from anomaly.panel import SeriesKey
from anomaly.season import Season

VERSION = 1
"""Of the form in which they are kept; another one is not read."""

Bins = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of each bin of a series' season: how far from the level, and of how many."""

    distance: Bins
    samples: Bins


@runtime_checkable
class Seasonal(Protocol):
    """A detector that learns a profile."""

    def profiles(self, slots: Slots) -> tuple[Bins, Bins]:
        """Return distance and samples of the given slots, slots x bins."""

    def recall(self, slot: int, profile: Profile, until_seconds: float) -> None:
        """Take up what had been learned of a series until that Unix time."""


@dataclass(frozen=True, slots=True)
class Seasons:
    """The profiles of a query's series.

    Attributes:
        until_seconds: Unix time of the newest sample in them.
    """

    season: Season
    until_seconds: float
    profiles: Mapping[SeriesKey, Profile]


def encoded(seasons: Seasons) -> bytes:
    """Return the profiles as a NumPy archive, without pickles."""
    about = {
        "version": VERSION,
        "season": _name_of(seasons.season),
        "until_seconds": seasons.until_seconds,
        "series": [dict(key) for key in seasons.profiles],
    }
    file = io.BytesIO()
    np.savez_compressed(
        file,
        about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
        distance=np.array([one.distance for one in seasons.profiles.values()], dtype=np.float32),
        samples=np.array([one.samples for one in seasons.profiles.values()], dtype=np.float32),
    )
    return file.getvalue()


def decoded(content: bytes, season: Season) -> Seasons | None:
    """Return the profiles; None when they are of another season or in a form not known here."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            about = json.loads(archive["about"].tobytes())
            if (about["version"], about["season"]) != (VERSION, _name_of(season)):
                return None
            rows = zip(about["series"], archive["distance"], archive["samples"], strict=True)
            profiles = {
                tuple(sorted(labels.items())): Profile(distance, samples)
                for labels, distance, samples in rows
            }
            return Seasons(season, float(about["until_seconds"]), profiles)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _name_of(season: Season) -> str:
    return f"{season.period_seconds:g}s in {season.bins} on {season.timezone}"
