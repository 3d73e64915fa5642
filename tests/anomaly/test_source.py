"""Reading samples on a fixed grid of times, in bounded pieces."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.answers import Answer
from anomaly.source import block_of, grid_end_seconds, read_blocks
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.prometheus import Series


class Recorder:
    """A server that has a sample at every time it is asked for, and remembers the spans."""

    def __init__(self) -> None:
        self.spans = []

    def query_range(self, _expression, *, start, end, step_seconds):
        self.spans.append((start.timestamp(), end.timestamp()))
        count = round((end - start).total_seconds() / step_seconds) + 1
        times = [start.timestamp() + at * step_seconds for at in range(count)]
        return Answer.of([Series({"a": "1"}, times, times)])


@given(
    total=st.integers(1, 100), size=st.integers(1, 30), step=st.sampled_from([0.5, 1.0, 15.0, 60.0])
)
def test_every_time_is_read_once_in_pieces_no_longer_than_allowed(total, size, step):
    start = 1_750_000_000.0
    progress = []
    blocks = list(
        read_blocks(
            Recorder(),
            "up",
            start_seconds=start,
            end_seconds=start + (total - 1) * step,
            step_seconds=step,
            maximum_samples=size,
            progress=progress.append,
        )
    )
    times = [time for block in blocks for time in block.times_seconds]
    assert times == [start + at * step for at in range(total)]
    assert max(len(block.times_seconds) for block in blocks) <= size
    assert all(np.array_equal(block.values[0], block.times_seconds) for block in blocks)
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


@given(st.floats(1e9, 2e9), st.sampled_from([1.0, 5.0, 60.0]), st.floats(0, 100))
def test_the_newest_time_read_is_on_the_grid_and_old_enough(now, step, delay):
    end = grid_end_seconds(now, step, delay)
    assert math.isclose(end % step, 0, abs_tol=1e-6)
    assert 0 <= now - delay - end < step


def test_when_a_piece_cannot_be_read_those_before_it_have_been_given():
    class Failing(Recorder):
        def query_range(self, *arguments, **span):
            if len(self.spans) == 2:
                raise UpstreamError("gone", reason=Reason.CONNECTION)
            return super().query_range(*arguments, **span)

    span = {"start_seconds": 0.0, "end_seconds": 99.0, "step_seconds": 1.0}
    blocks = read_blocks(Failing(), "up", **span, maximum_samples=10)
    assert [next(blocks).times_seconds[0] for _ in range(2)] == [0.0, 10.0]
    with pytest.raises(UpstreamError, match="gone"):
        next(blocks)


def test_nothing_is_read_of_a_time_that_has_not_come():
    reader = Recorder()
    span = {"start_seconds": 10.0, "end_seconds": 9.0, "step_seconds": 1.0}
    assert list(read_blocks(reader, "up", **span)) == []
    assert reader.spans == []


def test_times_without_a_sample_are_gaps():
    series = [Series({"a": "1"}, [100.0, 120.0], [1.0, 3.0]), Series({"a": "2"}, [110.0], [2.0])]
    block = block_of(Answer.of(series), [100.0, 110.0, 120.0], 10.0)
    np.testing.assert_array_equal(block.values, [[1.0, np.nan, 3.0], [np.nan, 2.0, np.nan]])


def test_an_empty_answer_still_moves_time():
    block = block_of(Answer.of([]), [100.0, 110.0], 10.0)
    assert block.values.shape == (0, 2)


def test_many_series_are_read_in_shorter_pieces():
    class Crowd(Recorder):
        def query_range(self, *arguments, **span):
            one = super().query_range(*arguments, **span)
            times = one.times_seconds.tolist()
            return Answer.of([Series({"a": str(at)}, times, times) for at in range(100)])

    blocks = list(
        read_blocks(
            Crowd(),
            "up",
            start_seconds=0.0,
            end_seconds=999.0,
            step_seconds=1.0,
            maximum_points=5_000,
        )
    )
    assert sum(len(block.times_seconds) for block in blocks) == 1_000
    assert max(block.values.size for block in blocks) <= 5_000
