from __future__ import annotations

import pytest

from alerting.matchers import Matcher, all_match
from alerting.routing import receivers_for
from alerting.settings import RouteSettings


@pytest.mark.parametrize(
    ("text", "labels", "met"),
    [
        ('severity="critical"', {"severity": "critical"}, True),
        ("severity=critical", {"severity": "critical"}, True),
        ('severity != "critical"', {"severity": "critical"}, False),
        ('job=~"task.*"', {"job": "taskboard"}, True),
        ('job=~"task"', {"job": "taskboard"}, False),
        ('job!~"task.*"', {"job": "agent"}, True),
        ('absent=""', {}, True),
        ('absent=~".+"', {}, False),
        ('path="a\\"b"', {"path": 'a"b'}, True),
    ],
)
def test_it_matches_as_alertmanager_does(text, labels, met):
    assert Matcher.parse(text).matches(labels) is met


@pytest.mark.parametrize("text", ["severity", "=x", 'a="b', 'a=~"["', "1a=b"])
def test_what_is_no_matcher_is_refused(text):
    with pytest.raises(ValueError, match=r"expected|expression|end properly"):
        Matcher.parse(text)


def test_no_matchers_match_everything():
    assert all_match((), {"any": "thing"})


def test_it_reads_back_as_it_was_written():
    assert str(Matcher.parse('a =~ "x.*"')) == 'a=~"x.*"'


ROUTE = RouteSettings.model_validate(
    {
        "receivers": ["team"],
        "routes": [
            {"match": ['severity="critical"'], "receivers": ["pager"], "continue": True},
            {"match": ['service="shop"'], "receivers": ["shop"]},
            {"match": ['service=~".*"'], "routes": [{"match": ["a=b"], "receivers": ["deep"]}]},
        ],
    }
)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"severity": "critical", "service": "shop"}, ["pager", "shop"]),
        ({"severity": "warning", "service": "shop"}, ["shop"]),
        ({"severity": "critical", "service": "bank"}, ["pager", "team"]),
        ({"service": "bank", "a": "b"}, ["deep"]),
    ],
)
def test_the_route_tree_finds_who_is_told(labels, told):
    assert list(receivers_for(labels, ROUTE)) == told
