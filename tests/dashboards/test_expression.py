"""PromQL read just enough to know its metrics and fill its variables."""

import pytest

from dashboards.expression import (
    fill,
    has_exemplars,
    metric_names,
    uncatalogued,
    unit_of,
    variables,
)
from dashboards.spec import Level, Threshold, Thresholds, at_least, rising
from watchkeeper.catalogue import every_metric, http


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up", {"up"}),
        ("sum by (job, le) (rate(a_bucket{x=~'b|c'}[$__rate_interval]))", {"a_bucket"}),
        ("topk(10, a / on (server) group_left (query) b)", {"a", "b"}),
        ('a{label="up by me {}"} and b offset 5m', {"a", "b"}),
        ("histogram_quantile(0.95, sum by (le) (rate(x:y_bucket[5m])))", {"x:y_bucket"}),
        ("(a or b * 0) / 1e3 > bool 0.5", {"a", "b"}),
        ('ALERTS{alertstate="firing"} unless ignoring (x) Inf', {"ALERTS"}),
        ("rate(a[5m]) * 60 + time()", {"a"}),
    ],
)
def test_metric_names_are_found_among_functions_labels_and_numbers(expression, names):
    assert metric_names(expression) == names


def test_only_histograms_have_buckets():
    catalogue = every_metric()
    assert uncatalogued(f"{http.REQUEST_DURATION}_bucket + up_bucket", catalogue) == {"up_bucket"}


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        (f"histogram_quantile(0.9, sum by (le) (rate({http.REQUEST_DURATION}_bucket[1m])))", True),
        (f"rate({http.REQUEST_DURATION}_count[1m])", False),
        ("service:of_a_rule_bucket", False),
    ],
)
def test_only_the_buckets_of_a_histogram_have_exemplars(expression, answer):
    assert has_exemplars(expression, every_metric()) is answer


def test_variables_are_found_in_both_spellings():
    assert variables('a{x=~"$one", y=~"${two:regex}"}[$__range]') == {"one", "two", "__range"}


def test_filling_replaces_each_variable_by_its_value():
    assert fill('a{x=~"$one|${one}"}[$w]', {"one": ".*", "w": "1m"}) == 'a{x=~".*|.*"}[1m]'


def test_filling_names_the_variable_that_has_no_value():
    with pytest.raises(KeyError, match="missing"):
        fill("$missing", {})


def test_a_value_is_judged_by_the_last_step_it_reached():
    thresholds = rising(notice=0.5, warning=1, critical=2)
    judged = [thresholds.judge(value) for value in (0, 0.5, 1.99, 2)]
    assert judged == [Level.OK, Level.NOTICE, Level.WARNING, Level.CRITICAL]


def test_too_little_is_judged_as_bad_as_too_much():
    assert at_least(1).judge(0) is Level.CRITICAL
    assert at_least(1).judge(1) is Level.OK


def test_steps_that_do_not_ascend_are_refused():
    with pytest.raises(ValueError, match="ascend"):
        Thresholds(steps=(Threshold(2, Level.WARNING), Threshold(1, Level.CRITICAL)))


@pytest.mark.parametrize(
    ("expression", "unit"),
    [
        ("process_resident_memory_bytes{job='a-b'}", "bytes"),
        ("max by (queue) (task_queue_oldest_age_seconds)", "seconds"),
        ("histogram_quantile(0.5, sum by (le) (rate(task_wait_seconds_bucket[1m])))", "seconds"),
        ("rate(process_cpu_seconds_total[1m])", ""),
        ("rate(task_wait_seconds_sum[1m])", ""),
        ("count(process_resident_memory_bytes)", ""),
        ("process_resident_memory_bytes / process_memory_limit_bytes", ""),
        ("process_resident_memory_bytes * 8", ""),
        ("unknown_seconds", ""),
    ],
)
def test_the_unit_is_known_only_where_the_metric_is_measured_as_it_is(expression, unit):
    assert unit_of(expression, every_metric()) == unit
