"""With a token, one Slack message stands for an incident and its thread tells the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from alerting.notifiers import slack_api
from alerting.notifiers.notifier import NotDelivered
from tests.alerting.desk import START
from tests.alerting.loopback import LoopbackServer, Reply, as_json
from tests.alerting.samples import message
from watchkeeper.outbound import EgressPolicy

CHART = b"\x89PNG\r\n\x1a\n and the rest of a picture"


class SlackService(LoopbackServer):
    """Answers as Slack's Web API does, and refuses what it would refuse.

    A file is announced with its length, uploaded without a token to the address given for it, and
    shown where it is said to belong; each once, and in this order.
    """

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.error = ""
        self.fails = ""
        self.announced = {}
        self.uploaded = {}
        self.shown = []

    def _answer(self, request):
        if request.path.startswith("/upload/"):
            return self._upload(request)
        method = request.path.rpartition("/")[2]
        if request.headers.get("authorization") != "Bearer xoxb-1":
            return as_json({"ok": False, "error": "invalid_auth"})
        if self.error or self.fails == method:
            return as_json({"ok": False, "error": self.error or "missing_scope"})
        if method.startswith("files."):
            return as_json(self._of_files(method, request))
        if method == "chat.update" and request.json.get("ts") != "17.1":
            return as_json({"ok": False, "error": "message_not_found"})
        return as_json({"ok": True, "ts": "17.1", "channel": request.json["channel"]})

    def _of_files(self, method, request):
        if not request.headers["content-type"].startswith("application/x-www-form-urlencoded"):
            return {"ok": False, "error": "invalid_arguments"}
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if method == "files.getUploadURLExternal":
            self.announced["F1"] = int(form["length"])
            return {"ok": True, "upload_url": f"{self.url}/upload/v1/F1", "file_id": "F1"}
        [file] = json.loads(form["files"])
        if file["id"] not in self.uploaded:
            return {"ok": False, "error": "file_not_found"}
        if not form["channel_id"].startswith("C"):
            return {"ok": False, "error": "invalid_channel"}
        self.shown.append((form["thread_ts"], file["title"], self.uploaded.pop(file["id"])))
        return {"ok": True, "files": [file]}

    def _upload(self, request):
        name = request.path.rpartition("/")[2]
        is_wrong = "authorization" in request.headers or self.fails == "upload"
        if is_wrong or self.announced.pop(name, None) != len(request.body):
            return Reply(400, b"bad upload")
        self.uploaded[name] = request.body
        return Reply(200, f"OK - {len(request.body)}".encode())

    @property
    def calls(self):
        chats = [request for request in self.requests if "/chat." in request.path]
        return [(request.path.rpartition("/")[2], request.json) for request in chats]


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
