"""The configuration that is shipped, on two days of a service's minutes."""

from pathlib import Path

import numpy as np
import pytest

from anomaly.evaluation import QueryEvaluation
from anomaly.panel import Block
from anomaly.settings import AnomalySettings, MinimumDeviation, QuerySettings, ValidRange
from watchkeeper.configuration import load

MINUTES = 2_880
DAY = 1_440
START_SECONDS = 1_750_032_000.0
KEYS = tuple((("instance", name),) for name in ("calm", "broken"))


@pytest.fixture(scope="module")
def shipped() -> QuerySettings:
    file = Path(__file__).parents[2] / "anomaly" / "anomaly.yml"
    return load(file, AnomalySettings).queries["cpu"]


def share_of_cpu(seed: int) -> np.ndarray:
    """Return a daily wave with noise that has a memory, as loads have."""
    rng = np.random.default_rng(seed)
    noise = np.zeros(MINUTES)
    for at in range(1, MINUTES):
        noise[at] = 0.8 * noise[at - 1] + 0.01 * rng.normal()
    return 0.3 + 0.1 * np.sin(2 * np.pi * np.arange(MINUTES) / DAY) + noise


def test_it_is_quiet_for_a_day_and_finds_what_breaks_within_ten_minutes(shipped):
    values = np.array([share_of_cpu(1), share_of_cpu(2)])
    values[1, 2_500:2_560] += 0.4
    times = [START_SECONDS + 60.0 * at for at in range(MINUTES)]
    evaluation = QueryEvaluation("cpu", shipped, live_after_seconds=times[DAY])
    evaluation.advance(Block(KEYS, times, values))
    (episode,) = evaluation.episodes()
    assert dict(episode.key)["instance"] == "broken"
    assert times[2_500] <= episode.started_seconds <= times[2_510]
    assert episode.ended_seconds is not None
    assert episode.ended_seconds <= times[2_600]


def test_a_level_that_is_hardly_strange_fires_for_three_days_without_a_break(shipped):
    """Nobody gets used to an incident that goes on: it would end, begin anew, and be learned."""
    settings = shipped.model_copy(
        update={"minimum_deviation": MinimumDeviation(), "valid_range": ValidRange()}
    )
    samples, broken = 5 * DAY, 2 * DAY
    values = 100 + np.random.default_rng(0).normal(size=(10, samples))
    values[:, broken:] += 4.5  # standard deviations
    keys = tuple((("instance", str(at)),) for at in range(10))
    times = [START_SECONDS + 60.0 * at for at in range(samples)]
    evaluation = QueryEvaluation("cpu", settings, live_after_seconds=times[broken - 10])
    evaluation.advance(Block(keys, times, values))
    assert [episode.is_open for episode in evaluation.episodes()] == [True] * 10
    assert all(view.expected < 101 for view in evaluation.views(times[-1]))
