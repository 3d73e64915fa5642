import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.catalogue import tasks as catalogue
from watchkeeper.instrument.handoff import HandoffMetrics, SyncLag

AGENTS = {"service": "shop", "source": "till", "target": "kitchen"}


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def handoffs(registry, guard, clock):
    return HandoffMetrics("shop", registry, guard, catalogue.CLOCK_SKEW.counter(registry), clock)


def test_a_handover_is_timed_from_giving_to_accepting(handoffs, registry, clock):
    handoffs.accepted("till", "kitchen", clock.now - 2)
    assert registry.get_sample_value("task_handoff_seconds_sum", AGENTS) == 2


def test_a_handover_from_the_future_is_flagged_as_clock_skew(handoffs, registry, clock):
    handoffs.accepted("till", "kitchen", clock.now + 2)
    labels = {"service": "shop", "measure": "handoff"}
    assert registry.get_sample_value("task_clock_skew_total", labels) == 1
    assert not registry.get_sample_value("task_handoff_seconds_count", AGENTS)


def test_a_copy_that_has_everything_has_no_lag(handoffs, registry, clock):
    lag = handoffs.sync_lag("till", "kitchen", grace_seconds=2)
    lag.caught_up()
    clock.now += 2
    assert registry.get_sample_value("task_sync_lag_seconds", AGENTS) == 0


def test_a_copier_that_hangs_shows_as_a_growing_lag(handoffs, registry, clock):
    lag = handoffs.sync_lag("till", "kitchen", grace_seconds=2)
    lag.caught_up()
    clock.now += 60
    assert registry.get_sample_value("task_sync_lag_seconds", AGENTS) == 60


def test_a_copy_that_is_behind_lags_by_the_age_of_what_it_misses(handoffs, registry, clock):
    lag = handoffs.sync_lag("till", "kitchen", grace_seconds=2)
    lag.behind_since(clock.now - 1)
    assert registry.get_sample_value("task_sync_lag_seconds", AGENTS) == 1


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["tick", "caught up", "behind"]), st.floats(0, 100)), max_size=20
    )
)
def test_the_lag_is_never_negative_and_never_less_than_the_silence(steps):
    clock = Clock()
    lag = SyncLag(clock, grace_seconds=2)
    silent_seconds = 0.0
    for step, seconds in steps:
        if step == "tick":
            clock.now += seconds
            silent_seconds += seconds
        elif step == "caught up":
            lag.caught_up()
            silent_seconds = 0.0
        else:
            lag.behind_since(clock.now - seconds)
            silent_seconds = 0.0
        assert lag.seconds() >= (silent_seconds - 1e-6 if silent_seconds > 2 else 0)
