"""The messages under docs/messages are those that are sent, and say enough to act on."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from alerting import gallery, messages
from alerting.chart import Points, draw
from watchkeeper.storage import reading

DOCS = Path(__file__).parents[2] / "docs" / "messages"


@pytest.mark.parametrize("name", sorted(gallery.render()))
def test_each_file_is_what_is_sent_today(name):
    assert (DOCS / name).read_text(encoding="utf-8") == gallery.render()[name]


def test_the_chart_is_the_one_that_is_drawn_today():
    shown = Image.open(DOCS / "chart.png")
    drawn = Image.open(io.BytesIO(gallery.example_chart()))
    assert drawn.size == (640, 240)
    assert ImageChops.difference(shown.convert("RGB"), drawn.convert("RGB")).getbbox() is None


def test_there_is_no_file_of_a_message_that_is_not_sent():
    assert {file.name for file in DOCS.iterdir()} == {*gallery.render(), "chart.png"}


ENOUGH = {
    "action": [
        "latency is unusual",  # what
        "2026-01-05 09:20:00 UTC, for 10 min",  # since when
        "now 2.41 s, expected 0.34 s (normal 0.21 s to 0.52 s)",  # how it differs
        "deploy shop 4.2.1",  # what changed before it
        "task_queue_depth",  # what moved with it
        "restart-service on orders-worker (auto, 2026-01-05 09:28:12 UTC)",  # what was done
        "worked: tasks finished",  # whether it helped
        "http://console.example/runbooks/AnomalySustained",
        "http://console.example/incidents/inc-1f0e2d3c4b5a6978",
    ],
    "fix-failed": [
        "needs a person: orders-worker finishes no task",
        "2026-01-05 02:11:00 UTC, for 9 min",
        "1,204 tasks wait",
        "(wanted above 0) (2026-01-05 02:19:40 UTC)",  # why now
        "(auto, 2026-01-05 02:11:09 UTC): did not help as far as can be seen",
        "(auto, 2026-01-05 02:15:30 UTC): did not help as far as can be seen",
        "http://console.example/runbooks/TaskQueueStalled",
        "http://console.example/incidents/inc-7d20c9b8a1f3e645",
    ],
    "untaken": [
        "needs a person: /var is full in 3 h",
        "2026-01-05 11:00:00 UTC, for 10 min",
        "nobody took it within 10 min: calling pager (2026-01-05 11:10:04 UTC)",
        "run-command on rotate-logs (approve): waits for approval until 11:15:00 UTC",
        "https://wiki.example/full-disks",
    ],
    "resolved": ["resolved: latency is unusual", "14 min 10 s", "ana", "worked: tasks finished"],
}


@pytest.mark.parametrize("kind", ["email-{}.txt", "email-{}.html", "slack-{}.txt"])
@pytest.mark.parametrize("name", ENOUGH)
def test_a_message_says_enough_to_act_on(kind, name):
    told = gallery.render()[kind.format(name)]
    assert [words for words in ENOUGH[name] if words not in told] == []


@pytest.mark.parametrize("name", ["action", "fix-failed", "untaken"])
def test_a_page_says_enough_to_act_on(name):
    told = gallery.render()[f"pagerduty-{name}.json"]
    of_mail = ("UTC, for ", "needs a person: latency")  # its reader sees how old it is anyway
    wanted = [words for words in ENOUGH[name] if not any(part in words for part in of_mail)]
    assert [words for words in wanted if words not in told] == []


def test_a_gap_is_not_bridged_and_nothing_known_is_no_picture():
    times = [0.0, 60.0, 120.0]
    unknown = [None, float("nan"), None]
    assert draw("x", Points(times, unknown, unknown, unknown, unknown)) == b""
    some = [1.0, None, 1.0]
    assert draw("x", Points(times, some, unknown, unknown, unknown)).startswith(b"\x89PNG")


def test_the_webhook_shown_has_every_key_of_one_that_is_sent(desk):
    desk.fire()
    desk.act()
    shown = gallery.messages()["fix-failed"].incident
    found = desk.incident()["id"]
    with reading(desk.store.engine) as connection:
        sent = messages.compose(connection, [found], desk.configuration.alerting)[found]
    assert set(sent) == set(shown)
    assert set(desk.actions()[0]) == set(shown["actions"][0])
    for part in ("timeline", "alerts"):
        assert set(sent[part][0]) == set(shown[part][0])
