"""Trained models that outlive the process: a network that took hours to learn is in force at once.

A detector that trains says what it has learned and up to which sample; after a restart the samples
since then, and only those, teach it more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


class UnreadableModelError(ValueError):
    """Bytes that are no model of this detector; it is trained anew without them."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a training ended with.

    Attributes:
        content: in the detector's own form, never a pickle.
        until_seconds: Unix time of the newest settled sample that was there to train with.
    """

    content: bytes
    until_seconds: float


@runtime_checkable
class Trained(Protocol):
    """A detector whose model serves all series of a query."""

    def model(self) -> Model | None:
        """Return the model in force; None before the first training ended."""

    def take_up(self, model: Model) -> None:
        """Judge with this model from now on.

        Raises:
            UnreadableModelError: it is none; nothing has changed.
        """
