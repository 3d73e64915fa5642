"""What may be posted: every bad alert is named with what was expected, and hides no good one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.alert import fingerprint
from alerting.intake import read_alerts
from tests.alerting.desk import START

GOOD = {"labels": {"alertname": "Dead"}}


def read(body: object):
    return read_alerts(body, now=START, resolve_timeout_seconds=300)


def test_the_fingerprint_is_prometheus_own():
    # The value in Prometheus' own tests (common/model, TestLabelsToSignature).
    labels = {"name": "garland, briggs", "fear": "love is not enough"}
    assert int(fingerprint(labels), 16) == 5799056148416392346


def test_times_left_out_are_filled_in():
    [found] = read([GOOD]).alerts
    assert (found.starts_at, found.ends_at) == (START, START + timedelta(minutes=5))


def test_gos_zero_time_and_nanoseconds_are_understood():
    item = {**GOOD, "startsAt": "2026-01-05T08:59:00.123456789Z", "endsAt": "0001-01-01T00:00:00Z"}
    [found] = read([item]).alerts
    assert found.starts_at.microsecond == 123456
    assert found.ends_at == START + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (7, "expected an object, got a number"),
        ({}, "at least one label"),
        ({"labels": {"alertname": ""}}, "at least one label"),
        ({"labels": ["a"]}, "labels: expected an object of texts, got a list"),
        ({"labels": {"a": 1}}, "labels.a: expected text, got a number"),
        ({"labels": {"a-b": "c"}}, "label name 'a-b'"),
        ({**GOOD, "startsAt": "yesterday"}, "startsAt: expected an RFC 3339 time"),
        ({**GOOD, "startsAt": 5}, "startsAt: expected an RFC 3339 time, got a number"),
        ({**GOOD, "startsAt": "2026-01-05T09:00:00"}, "startsAt: expected an RFC 3339 time"),
        (
            {**GOOD, "startsAt": "2026-01-05T09:00:00Z", "endsAt": "2026-01-05T08:00:00Z"},
            "endsAt lies before startsAt",
        ),
        ({**GOOD, "annotations": {"a": "x" * 20_000}}, "annotations.a: longer than"),
        ({**GOOD, "annotations": {"a": "x\x00y"}}, "annotations.a: holds a NUL"),
        ({**GOOD, "annotations": {"\ud800": "x"}}, "annotations: holds half of a character"),
        ({"labels": {"a": "\udc00"}}, "labels.a: holds half of a character"),
        ({**GOOD, "startsAt": "0002-01-01T00:00:00Z"}, "startsAt: expected a time between"),
        ({**GOOD, "endsAt": "9999-12-31T23:59:59Z"}, "endsAt: expected a time between"),
        ({**GOOD, "generatorURL": {}}, "generatorURL: expected text"),
    ],
)
def test_a_bad_alert_is_named_and_does_not_hide_a_good_one(item, problem):
    found = read([item, GOOD])
    assert len(found.alerts) == 1
    [message] = found.problems
    assert message.startswith("alert 0")
    assert problem in message


def test_the_name_of_a_bad_alert_is_told():
    [message] = read([{"labels": {"alertname": "Dead", "x-y": "1"}}]).problems
    assert "alert 0 (Dead)" in message


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=50)
@given(
    json_values
    | st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "labels": json_values | st.dictionaries(st.text(), st.text()),
                "annotations": json_values,
                "startsAt": json_values | st.datetimes().map(lambda moment: f"{moment}Z"),
                "endsAt": json_values,
                "generatorURL": json_values,
            },
        )
    )
)
def test_no_input_whatever_crashes_the_reader(body):
    found = read(body)
    assert len(found.alerts) + len(found.problems) == (len(body) if isinstance(body, list) else 1)
