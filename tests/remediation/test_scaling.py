from hypothesis import given
from hypothesis import strategies as st

from remediation.actuators.scale_out import wanted_instances

COUNT = st.integers(1, 50)
ASKED = st.none() | st.integers(1, 60)
BY = st.integers(1, 60)


@given(COUNT, BY, ASKED, COUNT)
def test_scaling_out_never_takes_an_instance_away(current, by, instances, maximum):
    found = wanted_instances(current, by=by, instances=instances, maximum=maximum)
    assert found >= current


@given(COUNT, BY, ASKED, COUNT)
def test_scaling_out_never_adds_beyond_the_maximum(current, by, instances, maximum):
    found = wanted_instances(current, by=by, instances=instances, maximum=maximum)
    assert found <= max(current, maximum)


def test_it_adds_by_or_goes_to_a_number():
    assert wanted_instances(2, by=2, instances=None, maximum=9) == 4
    assert wanted_instances(2, by=1, instances=7, maximum=9) == 7
