"""Series are put on one grid; nothing is moved, lost or made up."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashboards.console.ranges import SCRAPE_SECONDS, Span
from watchkeeper.prometheus import Series

starts = st.integers(10**9, 2 * 10**9).map(lambda at: datetime.fromtimestamp(at + 0.25, UTC))
lengths = st.timedeltas(timedelta(seconds=1), timedelta(days=90))


@given(starts, lengths, st.integers(1, 1000))
def test_a_span_covers_what_was_asked_with_about_as_many_points(start, length, points):
    span = Span.between(start, start + length, points=points)
    times = span.timestamps()
    assert times[0] <= start.timestamp() < times[0] + span.step_seconds
    assert times[-1] <= (start + length).timestamp() < times[-1] + span.step_seconds
    assert len(times) <= points + 2
    assert span.step_seconds % SCRAPE_SECONDS == 0


@given(starts, st.lists(st.integers(0, 50), unique=True))
def test_every_sample_lands_on_its_time_and_every_other_time_is_a_gap(start, positions):
    span = Span.between(start, start + timedelta(seconds=250), points=50)
    positions = sorted(at for at in positions if at < span.count)
    times = span.timestamps()
    values = span.align(
        Series({}, [times[at] for at in positions], [float(at) for at in positions])
    )
    assert [at for at, value in enumerate(values) if value is not None] == positions
    assert [value for value in values if value is not None] == [float(at) for at in positions]


def test_samples_outside_the_span_are_left_out():
    span = Span(100.0, 5.0, 3)
    assert span.align(Series({}, [95.0, 105.0, 115.0], [1.0, 2.0, 3.0])) == [None, 2.0, None]
