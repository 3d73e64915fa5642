from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.supervisor import backoff

COUNTS = st.integers(min_value=1, max_value=10**9)


@given(COUNTS)
def test_the_pause_never_shrinks_while_failures_go_on(failures):
    assert backoff.delay_seconds(failures) <= backoff.delay_seconds(failures + 1)


@given(COUNTS)
def test_the_pause_stays_between_its_first_and_its_ceiling(failures):
    assert 0.5 <= backoff.delay_seconds(failures) <= 30


def test_the_pause_doubles():
    assert [backoff.delay_seconds(n) for n in (1, 2, 3, 4)] == [0.5, 1, 2, 4]


@given(COUNTS, st.floats(min_value=30, max_value=1e9))
def test_a_failure_after_a_stable_run_counts_as_the_first(failures, ran_seconds):
    assert backoff.failures_in_a_row(failures, ran_seconds=ran_seconds) == 1


@given(COUNTS, st.floats(min_value=0, max_value=29.9))
def test_a_failure_soon_after_the_last_adds_to_it(failures, ran_seconds):
    assert backoff.failures_in_a_row(failures, ran_seconds=ran_seconds) == failures + 1
