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
def told_first(notifier, service):
    """Return the thread of an incident that was opened."""
    return notifier.send(message("opened"), now=START)


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


RESOLVED = message("resolved", resolved_at="2026-01-05T09:10:00.000Z")


def test_what_follows_updates_it_and_is_told_below(notifier, service, told_first):
    assert notifier.send(replace(RESOLVED, thread=told_first), now=START) is None
    _, (first, update), (second, reply) = service.calls
    assert (first, update["ts"]) == ("chat.update", "17.1")
    assert (second, reply["thread_ts"]) == ("chat.postMessage", "17.1")
    assert "blocks" not in reply


def test_a_chart_is_shown_in_the_thread_of_the_first_message(notifier, service):
    first = replace(message("opened"), chart=CHART)
    assert notifier.send(first, now=START) == "17.1"
    assert service.shown == [("17.1", first.incident["title"], CHART)]


def test_what_follows_brings_no_second_chart(notifier, service, told_first):
    notifier.send(replace(message("updated"), thread=told_first, chart=CHART), now=START)
    assert service.shown == []
    assert len(service.calls) == 3


def test_the_thread_says_why_a_person_is_called(desk, service, prometheus):
    prometheus.value = 0.0
    desk.fire("WorkerDead", process="w")
    desk.deliver()
    desk.pass_time(300, step_seconds=5)
    replies = [one["text"] for one in service.messages.values() if "thread_ts" in one]
    no_help = "restart-service on w: did not help as far as can be seen"
    repeated, called = replies
    assert repeated.startswith(f"🔧 {no_help}")
    assert called.startswith(f"🚨 needs a person: WorkerDead happened\n{no_help}")


def deleted(service, ts):
    del service.messages[ts]


def too_old(service, ts):
    service.unalterable[ts] = "edit_window_closed"


def of_another_bot(service, ts):
    service.unalterable[ts] = "cant_update_message"


def with_a_locked_thread(service, ts):
    service.locked[ts] = "restricted_action_thread_locked"


BROKEN = [deleted, too_old, of_another_bot, with_a_locked_thread]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_message_that_cannot_be_continued_is_followed_by_a_new_one(
    notifier, service, told_first, broken
):
    broken(service, told_first)
    anew = notifier.send(replace(RESOLVED, thread=told_first), now=START)
    assert anew not in (None, told_first)
    assert "thread_ts" not in service.messages[anew]
    assert service.messages[anew]["blocks"]
    assert "resolved" in service.messages[anew]["text"]


def test_a_message_that_can_be_continued_later_is_not_told_anew(notifier, service, told_first):
    service.error = "ratelimited"
    with pytest.raises(NotDelivered) as failure:
        notifier.send(replace(RESOLVED, thread=told_first), now=START)
    assert not failure.value.is_permanent
    assert [method for method, _ in service.calls] == ["chat.postMessage", "chat.update"]


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


@pytest.fixture
def desk(make_desk, service, monkeypatch):
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
    return desk


def test_the_thread_outlives_the_process(desk, service):
    desk.fire("Down")
    desk.deliver()
    desk.close()
    desk.open()
    desk.resolve("Down")
    desk.deliver()
    assert [method for method, _ in service.calls] == [
        "chat.postMessage", "chat.update", "chat.postMessage",
    ]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_what_follows_a_new_message_continues_that_one(desk, service, broken):
    desk.fire("Down")
    desk.deliver()
    broken(service, "17.1")
    desk.acknowledge()
    desk.deliver()
    [anew] = [ts for ts in service.messages if ts != "17.1"]
    desk.resolve("Down")
    desk.deliver()
    assert [delivery["state"] for delivery in desk.deliveries()] == ["delivered"] * 3
    assert "resolved" in service.messages[anew]["text"]
    [reply] = [one for one in service.messages.values() if one.get("thread_ts") == anew]
    assert "resolved" in reply["text"]
