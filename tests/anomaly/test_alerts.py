"""What is told to alerting, and how often."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from anomaly.alerts import Courier, Report, alert_of, due
from anomaly.episodes import Ending, Episode, series_id
from anomaly.settings import AlertSettings
from anomaly.view import SeriesView, State
from tests.anomaly.series import key, query
from tests.anomaly.servers import alertmanager, problem_of
from tests.waiting import wait_until
from watchkeeper.clock import ManualClock, format_rfc3339
from watchkeeper.peers import Peer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STARTED = NOW - timedelta(minutes=2)
RUNNING = Episode("response-time", key("/search"), STARTED.timestamp())
OVER = RUNNING.end(NOW.timestamp(), Ending.RECOVERED)
VIEW = SeriesView(
    query="response-time",
    key=key("/search"),
    state=State.READY,
    detector="robust-zscore",
    scores={"robust-zscore": 2.5},
    actual=0.268,
    expected=0.0151,
    lower=0.0,
    upper=0.115,
    episode=RUNNING,
)


def alert(episode=RUNNING, view=VIEW, **policy):
    return alert_of(
        Report(episode, query(**policy), view),
        now_seconds=NOW.timestamp(),
        resend_seconds=15,
        console_url="http://127.0.0.1:8300",
    )


def test_an_alert_names_the_query_the_service_and_the_series():
    assert alert()["labels"] == {
        "alertname": "Anomaly",
        "severity": "warning",
        "service": "taskboard",
        "query": "response-time",
        "http_route": "/search",
    }


def test_an_alert_says_what_was_expected_and_what_was_found():
    annotations = alert(summary="Median response time", runbook="docs/x.md")["annotations"]
    assert annotations["summary"] == (
        "Median response time is unusual: http_route /search, service taskboard"
    )
    assert (annotations["actual"], annotations["expected"]) == ("0.268", "0.0151")
    assert (annotations["lower"], annotations["upper"]) == ("0", "0.115")
    assert (annotations["score"], annotations["detector"]) == ("2.5", "robust-zscore")
    assert annotations["runbook"] == "docs/x.md"
    assert "is 0.268, expected 0.0151 (0 to 0.115)" in annotations["description"]


def test_an_alert_points_at_its_series_in_the_console():
    identity = series_id("response-time", key("/search"))
    assert alert()["generatorURL"] == f"http://127.0.0.1:8300/series/{identity}"


def test_one_under_way_ends_by_itself_unless_it_is_repeated():
    assert alert()["startsAt"] == format_rfc3339(STARTED)
    assert alert()["endsAt"] == format_rfc3339(NOW + timedelta(seconds=60))


def test_one_that_is_over_ends_when_it_did():
    assert alert(OVER)["endsAt"] == format_rfc3339(NOW)


def test_every_repetition_has_the_labels_of_the_first():
    assert alert(OVER, view=None)["labels"] == alert()["labels"]


def test_a_series_that_is_gone_can_still_be_told_of():
    assert problem_of(alert(OVER, view=None)) is None


def test_labels_of_the_query_stand_in_the_alert():
    assert alert(labels={"service": "shop", "team": "red"})["labels"]["service"] == "shop"


def test_a_series_without_a_service_gets_one():
    bare = Episode("cpu", (("instance", "a"),), STARTED.timestamp())
    assert alert(bare, view=None)["labels"]["service"] == "unknown"


@pytest.mark.parametrize(
    ("episode", "minutes", "told", "expected"),
    [
        (RUNNING, 600, True, True),
        (OVER, 4, True, True),
        (OVER, 6, True, False),
        (OVER, 6, False, True),
    ],
)
def test_what_is_over_is_repeated_for_five_minutes_and_until_told_once(
    episode, minutes, told, expected
):
    now = (NOW + timedelta(minutes=minutes)).timestamp()
    found = due(episode, now_seconds=now, keep_resolved_seconds=300, told=told)
    assert found is expected


@pytest.fixture
def receiver():
    with alertmanager() as server:
        yield server


def courier_to(receiver, reports, *, clock=None, outcomes=None, resend=0.1):
    return Courier(
        Peer("alerting", base_url=receiver.url),
        settings=lambda: AlertSettings(resend=resend),
        reports=lambda: reports,
        console_url="http://127.0.0.1:8300",
        clock=clock or ManualClock(NOW),
        sent=(outcomes if outcomes is not None else []).append,
    )


def test_nothing_is_sent_while_nothing_is_wrong(receiver):
    courier_to(receiver, []).send_due()
    assert receiver.posts == []


def test_it_repeats_until_the_episode_is_over_and_says_that_too(receiver):
    reports = [Report(RUNNING, query(), VIEW)]
    courier = courier_to(receiver, reports)
    courier.start()
    try:
        wait_until(lambda: len(receiver.posts) >= 3, what="three repetitions")
        reports[:] = [Report(OVER, query(), VIEW)]
        courier.wake()
        wait_until(
            lambda: receiver.alerts[-1]["endsAt"] == format_rfc3339(NOW), what="the resolved alert"
        )
    finally:
        courier.stop()


def test_an_outage_loses_nothing(receiver):
    receiver.failures = 2
    outcomes = []
    courier = courier_to(receiver, [Report(OVER, query(), VIEW)], outcomes=outcomes)
    courier.start()
    try:
        wait_until(lambda: receiver.posts, what="the alert after the outage")
    finally:
        courier.stop()
    assert outcomes[:3] == ["http_status", "http_status", "ok"]


def test_very_many_are_sent_in_several_requests(receiver):
    reports = [Report(replace(RUNNING, key=key(f"/{n}")), query(), None) for n in range(2_500)]
    courier_to(receiver, reports).send_due()
    assert [len(alerts) for alerts in receiver.posts] == [1_000, 1_000, 500]


def test_what_began_by_a_clock_that_was_set_back_does_not_end_before_it_began():
    ahead = replace(RUNNING, started_seconds=(NOW + timedelta(days=1)).timestamp())
    told = alert(ahead.end(NOW.timestamp(), Ending.RECOVERED))
    assert told["startsAt"] == told["endsAt"] == format_rfc3339(NOW)


def test_a_surprise_in_a_report_does_not_end_the_courier(receiver):
    surprises = [RuntimeError("a bug")]

    def reports():
        if surprises:
            raise surprises.pop()
        return [Report(RUNNING, query(), VIEW)]

    outcomes = []
    courier = Courier(
        Peer("alerting", base_url=receiver.url),
        settings=lambda: AlertSettings(resend=0.1),
        reports=reports,
        console_url="http://127.0.0.1:8300",
        clock=ManualClock(NOW),
        sent=outcomes.append,
    )
    courier.start()
    try:
        wait_until(lambda: receiver.posts, what="the alert after the surprise")
    finally:
        courier.stop()
    assert outcomes[:2] == ["unexpected", "ok"]


def test_what_was_told_is_dropped_after_five_minutes(receiver):
    clock = ManualClock(NOW)
    courier = courier_to(receiver, [Report(OVER, query(), VIEW)], clock=clock)
    courier.send_due()
    clock.advance(301)
    courier.send_due()
    courier.send_due()
    assert len(receiver.posts) == 1


def test_what_ended_long_before_this_process_began_is_not_told_again(receiver):
    old = RUNNING.end((NOW - timedelta(minutes=6)).timestamp(), Ending.RECOVERED)
    courier_to(receiver, [Report(old, query(), None)]).send_due()
    assert receiver.posts == []
