"""When a model is fitted again, counted in samples."""

import numpy as np
import pytest

from anomaly.detectors.refits import Refits, SeriesRefits


def fits(samples: int, minimum: int, window: int, growth: float = 0.25) -> list[int]:
    refits = Refits(minimum, window, growth_ratio=growth)
    return [at for at in range(1, samples + 1) if refits.due()]


def test_the_first_fit_is_at_the_minimum_and_the_next_as_the_window_grows():
    assert fits(60, minimum=20, window=800)[:4] == [20, 25, 31, 38]


def test_a_full_window_is_fitted_eight_times():
    found = fits(2_000, minimum=20, window=800)
    assert [at for at in found if at > 1_000] == list(range(found[-1] % 100 + 1_000, 2_001, 100))


def test_a_dear_model_is_fitted_at_each_doubling():
    assert fits(200, minimum=20, window=8_000, growth=1.0) == [20, 40, 80, 160]


def test_a_series_that_comes_later_is_fitted_at_its_own_minimum():
    refits = SeriesRefits(20, 800)
    refits.resize(2)
    found = [refits.due(np.array([True, at > 50])).tolist() for at in range(1, 101)]
    assert [at for at, due in enumerate(found, start=1) if 1 in due][:2] == [70, 75]


def test_a_missing_sample_counts_for_nothing():
    refits = SeriesRefits(20, 800)
    refits.resize(1)
    assert all(not len(refits.due(np.array([False]))) for _ in range(100))


def test_series_that_began_together_are_soon_fitted_each_at_its_own_time():
    series = 400
    refits = SeriesRefits(60, 1_440)
    refits.resize(series)
    for slot in range(series):
        refits.spread(slot, slot / series)
    fitted = [len(refits.due(np.ones(series, dtype=np.bool_))) for _ in range(4 * 1_440)]
    assert fitted[59] == series, "all are ready as soon as they can be"
    assert max(fitted[1_440:]) <= series / 10
    assert sum(fitted[1_440:]) == pytest.approx(series * 3 * 8, rel=0.05)
