from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.notifiers.notifier import Message
from alerting.notifiers.slack_message import render
from tests.alerting.loopback import Request, slack_problem
from tests.alerting.samples import message, one_alert

texts = st.text(max_size=6000)
alerts = st.fixed_dictionaries(
    {
        "fingerprint": st.just("0" * 16),
        "status": st.sampled_from(["firing", "resolved"]),
        "labels": st.fixed_dictionaries({"alertname": st.text(min_size=1, max_size=50)}),
        "annotations": st.fixed_dictionaries(
            {},
            optional={"summary": texts, "description": texts, "actual": texts, "expected": texts},
        ),
    }
)


def text_of(told: Message) -> str:
    return json.dumps(render(told), ensure_ascii=False)


@given(title=st.text(max_size=400), found=st.lists(alerts, max_size=60))
def test_any_incident_stays_within_what_slack_accepts(title, found):
    body = json.dumps(render(message(title=title, alerts=found))).encode()
    assert slack_problem(Request("POST", "/", {"content-type": "application/json"}, body)) == ""


def test_it_says_how_an_anomaly_differs_from_normal():
    found = one_alert(
        actual="412 ms", expected="160 ms", lower="120 ms", upper="210 ms", score="3.1"
    )
    assert "now 412 ms, expected 160 ms (normal 120 ms to 210 ms), score 3.1" in text_of(
        message(alerts=found)
    )


def test_words_from_alerts_cannot_mention_a_channel_or_make_a_link():
    found = one_alert(summary="<!channel> <https://evil.example|click>")
    told = text_of(message(alerts=found, title="<!here>"))
    assert "<!channel>" not in told
    assert "<https://evil.example" not in told


def test_a_runbook_is_a_link_when_it_is_an_address_and_a_path_otherwise():
    assert "<https://runbooks.example/x|Runbook>" in text_of(
        message(alerts=one_alert(runbook_url="https://runbooks.example/x"))
    )
    assert "Runbook: wiki/full-disks" in text_of(
        message(alerts=one_alert(runbook_url="wiki/full-disks"))
    )


@pytest.mark.parametrize("name", ["runbook_url", "runbook"])
def test_our_own_runbooks_are_read_on_the_console(name):
    found = one_alert(**{name: "docs/runbooks/X.md"})
    assert "<http://console.example/runbooks/X|Runbook>" in text_of(message(alerts=found))


def test_a_runbook_elsewhere_is_left_where_it_is():
    place = "https://git.example/docs/runbooks/X.md"
    assert f"<{place}|Runbook>" in text_of(message(alerts=one_alert(runbook_url=place)))


def test_a_resolved_incident_says_how_long_it_lasted():
    told = text_of(message("resolved", resolved_at="2026-01-05T09:04:10.000Z"))
    assert "4 min 10 s" in told
