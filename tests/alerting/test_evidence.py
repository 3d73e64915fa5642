"""A message has its chart where one can be drawn, and goes out all the same where none can."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.chart import Points, draw
from alerting.evidence import chart_of
from tests.alerting.desk import START, alert
from tests.alerting.loopback import LoopbackServer, Reply, as_json
from tests.alerting.slack_service import SlackService
from watchkeeper.peers import Peer

SERIES_URL = "http://console.example/series/3f9a"
MOMENTS = [START.timestamp() + 60 * minute for minute in range(4)]


def series(*values: float) -> Reply:
    names = ("actual", "expected", "lower", "upper")
    points = {"timestamps": MOMENTS, **{name: list(values) for name in names}}
    return as_json({"query": "latency", "points": points})


def incident(generator_url: str) -> dict:
    found = {"labels": {"alertname": "Anomaly"}, "annotations": {}, "generator_url": generator_url}
    return {"alerts": [found]}


@pytest.fixture
def anomaly():
    with LoopbackServer(lambda _request: series(1.0, 2.0, 1.0, 9.0)) as server:
        yield server


@pytest.fixture
def peer(anomaly):
    return Peer("anomaly", base_url=anomaly.url)


@pytest.fixture
def slack_service(monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", "xoxb-1")
    with SlackService() as server:
        yield server


@pytest.fixture
def desk(make_desk, peer, slack_service):
    """Tells a Slack channel that takes charts."""
    desk = make_desk(chart=partial(chart_of, peer))
    text = desk.alerting_file.read_text()
    desk.alerting_file.write_text(
        text.replace(
            "kind: slack, webhook_url: {env: TEST_SLACK_URL, optional: true}",
            f"kind: slack_api, token: {{env: TEST_TOKEN}}, channel: C1, url: '{slack_service.url}'",
        )
    )
    desk.configuration.reload_if_changed()
    assert desk.configuration.problems() == []
    return desk


def tell(desk, generator_url: str) -> None:
    """Let an anomaly begin and end, and each be told."""
    begun = replace(alert("Anomaly", at=desk.clock.now()), generator_url=generator_url)
    desk.router.accept([begun])
    desk.deliver()
    desk.clock.advance(60)
    desk.router.accept([replace(begun, ends_at=begun.starts_at + timedelta(seconds=60))])
    desk.deliver()


def test_the_chart_of_the_series_goes_with_the_first_message(desk, anomaly, slack_service):
    tell(desk, SERIES_URL)
    assert [request.path for request in anomaly.requests] == ["/api/v1/series/3f9a?minutes=60"]
    [(_thread, _title, picture)] = slack_service.shown
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize("address", ["http://[oops/x", "http://x]/y", "http://x", "/", "//"])
def test_an_address_of_no_series_has_no_chart_and_nobody_is_asked(peer, anomaly, address):
    assert chart_of(peer, incident(address)) == b""
    assert anomaly.requests == []


@given(st.text())
def test_whatever_stands_for_an_address_is_survived(address):
    nobody = Peer("anomaly", base_url="http://127.0.0.1:1")
    assert chart_of(nobody, incident(address)) == b""


numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=8))
def test_whatever_the_values_are_they_are_drawn_or_not_but_never_fail(rows):
    moments = [60.0 * number for number in range(len(rows))]
    assert draw("a title", Points(moments, *zip(*rows, strict=True)))[:4] in (b"", b"\x89PNG")


@pytest.mark.parametrize("values", [(1e308, -1e308, 1e308, 1.0), (1.7e308, 1.0, 2.0, 1.0)])
def test_values_too_far_apart_for_a_scale_have_no_chart(values):
    assert draw("a title", Points(MOMENTS, values, values, values, values)) == b""


@pytest.mark.parametrize(
    ("answer", "generator_url"),
    [
        (series(1.0, 2.0), "http://[oops/x"),
        (series(1e308, -1e308, 1.0, float("nan")), SERIES_URL),
        (series(1.0, 2.0), SERIES_URL),
        (as_json({"query": "latency"}), SERIES_URL),
        (as_json([]), SERIES_URL),
        (as_json({"query": "latency", "points": {"timestamps": ["never"]}}), SERIES_URL),
    ],
)
def test_without_a_chart_beginning_and_end_are_told_at_once(
    desk, anomaly, slack_service, answer, generator_url
):
    anomaly.answer = lambda _request: answer
    tell(desk, generator_url)
    assert [(one["event"], one["state"], one["attempts"]) for one in desk.deliveries()] == [
        ("opened", "delivered", 1), ("resolved", "delivered", 1),
    ]  # fmt: skip
    assert [method for method, _ in slack_service.calls] == [
        "chat.postMessage", "chat.update", "chat.postMessage",
    ]  # fmt: skip
    assert slack_service.shown == []


def test_a_chart_that_cannot_be_drawn_is_spoken_of_in_the_log(desk, anomaly, caplog):
    anomaly.answer = lambda _request: as_json({"query": "latency"})
    tell(desk, SERIES_URL)
    assert "chart not drawn" in caplog.text
