"""The messages under docs/messages are those that are sent, and say enough to act on."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from alerting import gallery
from alerting.chart import Points, draw

DOCS = Path(__file__).parents[2] / "docs" / "messages"


@pytest.mark.parametrize("name", sorted(gallery.render()))
def test_each_file_is_what_is_sent_today(name):
    assert (DOCS / name).read_text(encoding="utf-8") == gallery.render()[name]


def test_the_chart_is_the_one_that_is_drawn_today():
    shown = Image.open(DOCS / "chart.png")
    drawn = Image.open(io.BytesIO(gallery.example_chart()))
    assert drawn.size == (640, 240)
    assert ImageChops.difference(shown.convert("RGB"), drawn.convert("RGB")).getbbox() is None


@pytest.mark.parametrize("kind", ["email", "slack"])
@pytest.mark.parametrize(
    "words",
    [
        "latency is unusual",  # what
        "2026-01-05T09:20",  # since when
        "now 2.41 s, expected 0.34 s",  # how it differs
        "deploy shop 4.2.1",  # what changed before it
        "task_queue_depth",  # what moved with it
        "restart-service on orders-worker",  # what was done
        "worked: tasks finished",  # whether it helped
        "runbooks/AnomalySustained",
        "incidents/inc-1f0e2d3c4b5a6978",
    ],
)
def test_a_message_says_enough_to_act_on(kind, words):
    assert words in gallery.render()[f"{kind}-opened.txt"]


def test_a_gap_is_not_bridged_and_nothing_known_is_no_picture():
    times = [0.0, 60.0, 120.0]
    unknown = [None, float("nan"), None]
    assert draw("x", Points(times, unknown, unknown, unknown, unknown)) == b""
    some = [1.0, None, 1.0]
    assert draw("x", Points(times, some, unknown, unknown, unknown)).startswith(b"\x89PNG")
