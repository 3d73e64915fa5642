"""The answer of a range query as arrays, whatever is in it."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.answers import Answer, answer_of
from watchkeeper.errors import UpstreamError
from watchkeeper.prometheus import Series

LABELS = st.dictionaries(
    st.sampled_from(["a", "le", "values", "metric"]),
    st.text(st.sampled_from('"\\[]{},:values0'), max_size=24),
    max_size=3,
)
NUMBERS = st.floats(width=64) | st.integers(-5, 5).map(float)


def said(series: list[Series]) -> bytes:
    """Return what Prometheus says of these series."""
    result = [
        {
            "metric": one.labels,
            "values": [
                [at, spelt(value)] for at, value in zip(one.timestamps, one.values, strict=True)
            ],
        }
        for one in series
    ]
    body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def spelt(value: float) -> str:
    """Return a number as Prometheus writes it."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)


def series_of(labels: dict[str, str], numbers: list[float]) -> Series:
    times = [1_750_000_000.0 + 0.125 * at for at in range(len(numbers))]
    return Series(labels, times, numbers)


@given(
    st.lists(st.builds(series_of, LABELS, st.lists(NUMBERS, min_size=1, max_size=4)), max_size=4)
)
def test_every_number_and_label_is_read_as_it_was_said(series):
    found, expected = answer_of(said(series)), Answer.of(series)
    assert found.labels == expected.labels
    np.testing.assert_array_equal(found.counts, expected.counts)
    np.testing.assert_array_equal(found.times_seconds, expected.times_seconds)
    np.testing.assert_array_equal(found.values, expected.values)


def test_an_answer_with_spaces_is_read_alike():
    series = [series_of({"a": "1"}, [2.0, 3.0]), series_of({"a": "2"}, [4.0])]
    spaced = json.dumps(json.loads(said(series)), indent=1).encode()
    assert answer_of(spaced).values.tolist() == answer_of(said(series)).values.tolist()
    assert answer_of(spaced).labels == answer_of(said(series)).labels


def test_a_series_with_nothing_but_native_histograms_is_left_out():
    body = json.loads(said([series_of({"a": "1"}, [2.0])]))
    body["data"]["result"].insert(0, {"metric": {"a": "0"}, "histograms": [[1.0, {"count": "1"}]]})
    found = answer_of(json.dumps(body, separators=(",", ":")).encode())
    assert (found.labels, found.values.tolist()) == ([{"a": "1"}], [2.0])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"status":"success","data":{}}',
        b'{"status":"success","data":{"result":[{"metric":{},"values":[[1,"2"],[3',
        b'{"status":"success","data":{"result":[{"metric":{},"values":[[1,"two"]]}]}}',
        b'{"status":"success","data":{"result":[{"metric":{},"values":[[1]]}]}}',
        b'{"status":"success","data":{"result":[{"metric":{},"values":[[1,"2"],[3]]}]}}',
    ],
)
def test_anything_else_is_no_answer(content):
    with pytest.raises(UpstreamError, match="range query"):
        answer_of(content)
