"""The catalogue names each metric once, with a unit that its name carries."""

import re

import pytest

from watchkeeper.catalogue import Kind, every_metric
from watchkeeper.catalogue.metric import counter

METRICS = every_metric()


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_metric_is_fully_described(metric):
    assert re.fullmatch(r"[A-Za-z_:][A-Za-z0-9_:]*", metric.name)
    assert metric.help.strip()


def test_our_own_names_carry_their_unit():
    ours = [m for m in METRICS.values() if m.name.startswith(("task_", "cache_", "watchkeeper_"))]
    assert ours
    for metric in ours:
        assert metric.unit in metric.name
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")


def test_metrics_that_say_the_same_are_one_key():
    one, same = (counter("told_total", "Told.", ["by"]) for _ in range(2))
    other = counter("told_total", "Told otherwise.", ["by"])
    assert {one: 1, other: 2}[same] == 1
