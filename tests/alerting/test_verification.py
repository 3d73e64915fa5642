"""Success is fresh, finite data within the bounds, several times in a row. Nothing else is."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.remediation_rules import CheckSettings, VerificationSettings
from alerting.verification import Observation, Progress, filled, judge, observe
from tests.alerting.desk import START
from watchkeeper.errors import UpstreamError
from watchkeeper.prometheus import PrometheusClient

POLICY = VerificationSettings.model_validate(
    {
        "checks": [{"query": "rss", "fresh": "rss", "below": 0.6}],
        "settle": 10, "samples": 3, "every": 5, "deadline": 60,
    }
)  # fmt: skip
COMPLETED = START.timestamp()


def seen(value: float = 0.4, *, at: float = 20) -> Observation:
    return Observation((value,), (COMPLETED + at,))


def run(observations: list[Observation], policy: VerificationSettings = POLICY):
    """Judge one observation every five seconds; return the last verdict."""
    progress, verdict = Progress(), None
    for number, observation in enumerate(observations, start=1):
        now = START + timedelta(seconds=5 * number)
        verdict = judge(policy, [observation], progress, completed_at=START, now=now)
        progress = verdict.progress
        if verdict.is_final:
            break
    assert verdict is not None
    return verdict


def test_three_fresh_good_samples_in_a_row_verify():
    verdict = run([seen(at=15), seen(at=20), seen(at=25)])
    assert verdict.is_final
    assert verdict.is_verified


def test_two_are_not_enough():
    assert not run([seen(at=15), seen(at=20)]).is_final


def test_a_bad_sample_in_between_starts_the_count_anew():
    assert not run([seen(at=15), seen(at=20), seen(0.7, at=25), seen(at=30)]).is_final


NEVER_SUCCESS = {
    "missing": Observation(),
    "nan": seen(math.nan),
    "infinite": seen(-math.inf),
    "frozen before the action": seen(at=-1),
    "inside the settling": seen(at=10),
    "without a sample time": Observation((0.4,), ()),
    "with a nan sample time": Observation((0.4,), (math.nan,)),
    "prometheus down": Observation(error="cannot be reached"),
    "one series bad": Observation((0.4, 0.9), (COMPLETED + 20,)),
    "one series stale": Observation((0.4,), (COMPLETED + 20, COMPLETED - 5)),
    "on the bound": seen(0.6),
}


@pytest.mark.parametrize("name", NEVER_SUCCESS)
def test_it_never_succeeds_on_data_that_is(name):
    verdict = run([NEVER_SUCCESS[name]] * 30)
    assert verdict.is_final
    assert not verdict.is_verified


def test_metrics_frozen_after_one_good_sample_never_verify():
    verdict = run([seen(at=15)] * 30)
    assert verdict.is_final
    assert not verdict.is_verified


def test_the_deadline_says_what_was_seen_last():
    assert "rss is 0.9 (wanted below 0.6)" in run([seen(0.9)] * 30).progress.last_seen


def test_every_check_must_hold():
    policy = POLICY.model_copy(
        update={
            "checks": (*POLICY.checks, CheckSettings(query="rate", fresh="rate", above=0)),
            "samples": 1,
        }
    )
    both = judge(
        policy, [seen(), seen(1)], Progress(), completed_at=START, now=START + timedelta(seconds=20)
    )
    one = judge(
        policy, [seen(), seen(0)], Progress(), completed_at=START, now=START + timedelta(seconds=20)
    )
    assert both.is_verified
    assert not one.is_verified


values = st.floats(allow_nan=True, allow_infinity=True)
observations = st.builds(
    Observation,
    values=st.lists(values, max_size=3).map(tuple),
    sampled_at=st.lists(st.floats(-30, 300).map(lambda offset: COMPLETED + offset), max_size=3).map(
        tuple
    ),
    error=st.sampled_from(["", "", "", "down"]),
)


@given(st.lists(observations, min_size=1, max_size=20))
def test_whatever_is_seen_a_verdict_of_success_rests_on_three_fresh_good_samples(found):
    if not run(found).is_verified:
        return
    good = [
        o for o in found
        if not o.error and o.values and all(math.isfinite(v) and v < 0.6 for v in o.values)
        and o.sampled_at and min(o.sampled_at) > COMPLETED + 10
    ]  # fmt: skip
    assert len({min(o.sampled_at) for o in good}) >= 3


def test_labels_cannot_break_out_of_the_query():
    asked: list[str] = []

    class Listening:
        def query(self, expression: str):
            asked.append(expression)
            raise UpstreamError("closed")

    check = CheckSettings(query='up{job="{{ labels.job }}"}', fresh="up", above=0)
    policy = filled(
        POLICY.model_copy(update={"checks": (check,)}), {"job": 'x"} or vector(1) or up{job="'}
    )
    observe(Listening(), policy.checks)
    assert asked == ['up{job="x\\"} or vector(1) or up{job=\\""}']


def test_a_prometheus_that_does_not_answer_is_an_observation_not_a_crash():
    client = PrometheusClient("http://127.0.0.1:1", timeout_seconds=1)
    [observation] = observe(client, POLICY.checks)
    assert "cannot be reached" in observation.error
