"""With a token, one Slack message stands for an incident and its thread tells the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.notifiers import slack_api
from alerting.notifiers.notifier import NotDelivered
from tests.alerting.desk import START
from tests.alerting.loopback import Reply
from tests.alerting.samples import message
from tests.alerting.slack_service import SlackService
from watchkeeper.outbound import EgressPolicy

CHART = b"\x89PNG\r\n\x1a\n and the rest of a picture"


@pytest.fixture
def service():
    with SlackService() as server:
        yield server


@pytest.fixture
def notifier(service, monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", "xoxb-1")
    options = slack_api.Options.model_validate(
        {"name": "s", "kind": "slack_api", "token": {"env": "TEST_TOKEN"}, "channel": "C1",
         "url": service.url}
    )  # fmt: skip
    return slack_api.build(options, EgressPolicy.parse(["127.0.0.0/8"]))


def test_the_first_message_names_the_thread(notifier, service):
    assert notifier.send(message("opened"), now=START) == "17.1"
    [(method, body)] = service.calls
    assert (method, body["channel"]) == ("chat.postMessage", "C1")
    assert body["blocks"]


def test_what_follows_updates_it_and_is_told_below(notifier, service):
    later = message("resolved", resolved_at="2026-01-05T09:10:00.000Z")
    notifier.send(replace(later, thread="17.1"), now=START)
    (first, update), (second, reply) = service.calls
    assert (first, update["ts"]) == ("chat.update", "17.1")
    assert (second, reply["thread_ts"]) == ("chat.postMessage", "17.1")
    assert "blocks" not in reply


def test_a_chart_is_shown_in_the_thread_of_the_first_message(notifier, service):
    first = replace(message("opened"), chart=CHART)
    assert notifier.send(first, now=START) == "17.1"
    assert service.shown == [("17.1", first.incident["title"], CHART)]


def test_what_follows_brings_no_second_chart(notifier, service):
    notifier.send(replace(message("updated"), thread="17.1", chart=CHART), now=START)
    assert service.shown == []
    assert len(service.calls) == 2


@pytest.mark.parametrize(
    "step", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"]
)
def test_without_its_chart_the_message_is_told_all_the_same_and_once(
    notifier, service, caplog, step
):
    service.fails = step
    assert notifier.send(replace(message("opened"), chart=CHART), now=START) == "17.1"
    assert [method for method, _ in service.calls] == ["chat.postMessage"]
    assert service.shown == []
    assert "chart not shown" in caplog.text


@pytest.mark.parametrize(
    ("error", "is_permanent"),
    [("channel_not_found", True), ("invalid_auth", True), ("ratelimited", False)],
)
def test_slacks_reasons_are_told_and_heeded(notifier, service, error, is_permanent):
    service.error = error
    with pytest.raises(NotDelivered, match=error) as failure:
        notifier.send(message("opened"), now=START)
    assert failure.value.is_permanent is is_permanent


@pytest.mark.parametrize("reply", [Reply(200, b"<html>"), Reply(200, b"[]"), Reply(200, b"{}")])
def test_what_is_not_slacks_answer_confirms_nothing(notifier, service, reply):
    service.answer = lambda _request: reply
    with pytest.raises(NotDelivered):
        notifier.send(message("opened"), now=START)


def test_the_thread_outlives_the_process(make_desk, service, monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", "xoxb-1")
    desk = make_desk()
    text = desk.alerting_file.read_text()
    desk.alerting_file.write_text(
        text.replace(
            "kind: slack, webhook_url: {env: TEST_SLACK_URL, optional: true}",
            f"kind: slack_api, token: {{env: TEST_TOKEN}}, channel: C1, url: '{service.url}'",
        )
    )
    desk.configuration.reload_if_changed()
    desk.fire("Down")
    desk.deliver()
    desk.close()
    desk.open()
    desk.resolve("Down")
    desk.deliver()
    assert [method for method, _ in service.calls] == [
        "chat.postMessage", "chat.update", "chat.postMessage",
    ]  # fmt: skip
