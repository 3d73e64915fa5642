"""When a model that is fitted to a window is fitted again."""

from __future__ import annotations

REFITS_PER_WINDOW = 8


class Refits:
    """Fits at the minimum, then as the window grows, then at each eighth of a full window.

    Counted in settled samples, never in wall-clock time, so that a replay fits when live did.

    Args:
        minimum_samples: of the first fit.
        window_samples: length of the window the model sees.
        growth_ratio: while the window fills, fit at each such share more; smaller for models
            that are dear to fit.
    """

    def __init__(
        self, minimum_samples: int, window_samples: int, *, growth_ratio: float = 0.25
    ) -> None:
        self._growth_ratio = growth_ratio
        self._minimum_samples = minimum_samples
        self._longest_samples = max(1, window_samples // REFITS_PER_WINDOW)
        self._learned = 0
        self._fitted_at = 0

    def due(self) -> bool:
        """Count one more settled sample and return whether to fit now."""
        self._learned += 1
        growing = max(1, int(self._fitted_at * self._growth_ratio))
        wait = min(self._longest_samples, growing) if self._fitted_at else self._minimum_samples
        if self._learned - self._fitted_at < wait:
            return False
        self._fitted_at = self._learned
        return True
