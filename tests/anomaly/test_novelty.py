"""What has not been seen for days ranks above what comes every day; it makes nothing anomalous."""

import numpy as np
import pytest

from anomaly.calibration import Calibration
from anomaly.novelty import MEMORY_SECONDS, Novelty

STEP_SECONDS = 3_600.0
MEMORY_SAMPLES = int(MEMORY_SECONDS / STEP_SECONDS)


@pytest.fixture
def novelty():
    one = Novelty(STEP_SECONDS)
    one.resize(1)
    return one


def excesses(novelty: Novelty, deviations: list[float]) -> list[float]:
    return [float(novelty.excess(np.array([deviation]))[0]) for deviation in deviations]


def test_only_what_beats_the_record_is_new(novelty):
    assert [value > 0 for value in excesses(novelty, [3.0, 2.0, 5.0, 5.0, 4.0, 9.0])] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_a_record_is_forgotten_after_days(novelty):
    excesses(novelty, [50.0] + [1.0] * (MEMORY_SAMPLES // 2))
    assert excesses(novelty, [20.0]) == [0.0]
    excesses(novelty, [1.0] * (2 * MEMORY_SAMPLES))
    assert excesses(novelty, [20.0])[0] > 0


def test_a_missing_sample_is_not_new_and_breaks_no_record(novelty):
    assert excesses(novelty, [3.0, np.nan, 3.0]) == [0.0, 0.0, 0.0]


def test_it_ranks_what_is_anomalous_and_makes_nothing_anomalous():
    calibration = Calibration(1e-3)
    calibration.resize(2)
    calm, strange = calibration.score(np.array([1.0, 30.0]), np.array([5.0, 5.0]))
    plain_calm, plain_strange = calibration.score(np.array([1.0, 30.0]))
    assert calm == plain_calm < 1
    assert strange == pytest.approx(plain_strange + 5.0)
