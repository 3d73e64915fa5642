"""Half-space trees as a stream library has them: one model a series, one sample at a time.

S. C. Tan, K. M. Ting and T. F. Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011. It is
what a user would run otherwise, at the usual 10 trees of depth 8 and windows of 250.
"""

from __future__ import annotations

import random

TREES, DEPTH, WINDOW = 10, 8, 250


class HalfSpaceTrees:
    """Scores the mass of past samples around a new one, in a range that is known."""

    def __init__(self, seed: int, low: float, high: float) -> None:
        chance = random.Random(seed)
        self._cuts = [self._tree(chance, low, high) for _ in range(TREES)]
        self._reference = [[0] * 2 ** (DEPTH + 1) for _ in range(TREES)]
        self._latest = [[0] * 2 ** (DEPTH + 1) for _ in range(TREES)]
        self._seen = 0

    @staticmethod
    def _tree(chance: random.Random, low: float, high: float) -> list[float]:
        centre = chance.uniform(low, high)
        reach = 2 * max(centre - low, high - centre)
        ranges = [(centre - reach, centre + reach)] * 2
        cuts = [0.0] * 2 ** (DEPTH + 1)
        for node in range(1, 2 ** (DEPTH + 1)):
            below, above = ranges[node] if node > 1 else ranges[1]
            cuts[node] = (below + above) / 2
            ranges += [(below, cuts[node]), (cuts[node], above)]
        return cuts

    def score_then_learn(self, value: float) -> float:
        """Return the mass around the sample (low is strange), then let it count."""
        mass = 0.0
        for cuts, reference, latest in zip(self._cuts, self._reference, self._latest, strict=True):
            node = 1
            for depth in range(DEPTH):
                mass += reference[node] * 2.0**depth if reference[node] < 25 else 0.0
                latest[node] += 1
                node = 2 * node + (value >= cuts[node])
            mass += reference[node] * 2.0**DEPTH
            latest[node] += 1
        self._seen += 1
        if self._seen == WINDOW:
            self._reference = self._latest
            self._latest = [[0] * 2 ** (DEPTH + 1) for _ in range(TREES)]
            self._seen = 0
        return mass
