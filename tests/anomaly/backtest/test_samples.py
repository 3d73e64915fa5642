"""Samples from a file, on a grid."""

import numpy as np
import pytest

from anomaly.backtest.samples import from_csv, joined
from anomaly.panel import Block
from watchkeeper.errors import ConfigError


def test_a_file_with_gaps_and_disorder_becomes_a_grid(tmp_path):
    path = tmp_path / "samples.csv"
    path.write_text("timestamp,a,b\n60,1,\n0,0,5\n181,3,6\n60,1.5,7\n300,4,8\n")
    samples, step = from_csv(path, 60.0)
    assert step == 60.0
    assert samples.keys == ((("series", "a"),), (("series", "b"),))
    assert samples.times_seconds == [0, 60, 120, 180, 240, 300]
    np.testing.assert_array_equal(samples.values[0], [0, 1.5, np.nan, 3, np.nan, 4])
    np.testing.assert_array_equal(samples.values[1], [5, 7, np.nan, 6, np.nan, 8])


def test_the_step_is_the_usual_distance_of_two_times(tmp_path):
    path = tmp_path / "samples.csv"
    path.write_text(
        "timestamp,a\n2026-01-01 00:00:00,1\n2026-01-01 00:05:00,2\n2026-01-01T00:10:00Z,3\n"
    )
    samples, step = from_csv(path)
    assert step == 300.0
    assert samples.times_seconds[0] == 1767225600.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ":1: expected a header"),
        ("timestamp,a\n", ":1: expected a header"),
        ("timestamp,a\nnoon,1\n", ":2: "),
        ("timestamp,a\n1,many\n", ":2: could not convert"),
        ("timestamp,a\n1,1\n2,3,4\n", ":3: expected 2 cells, got 3"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path, text, told):
    path = tmp_path / "samples.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        from_csv(path)


def test_reads_are_joined_and_what_one_lacks_is_a_gap():
    first = Block(((("a", "1"),),), [0.0, 1.0], np.array([[1.0, 2.0]]))
    second = Block(((("a", "2"),), (("a", "1"),)), [2.0], np.array([[9.0], [3.0]]))
    whole = joined([first, second])
    assert whole.times_seconds == [0.0, 1.0, 2.0]
    np.testing.assert_array_equal(whole.values, [[1, 2, 3], [np.nan, np.nan, 9]])
