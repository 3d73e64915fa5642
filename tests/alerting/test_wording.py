"""What a message says is true when it is read."""

from dataclasses import replace

from alerting import gallery
from alerting.notifiers.wording import actions_taken, facts, latest


def told_of(**action):
    known = gallery.messages()["fix-failed"].incident["actions"][0]
    (line,) = actions_taken(
        {"actions": [{**known, "summary": "", "dispatched_at": None, **action}]}
    )
    return line


def test_a_plan_promises_nothing_and_what_is_only_watched_says_so():
    assert told_of(state="ready").endswith("(auto): planned")
    watched = told_of(state="ready", mode="observe")
    assert watched.endswith("(observe): only watched: nothing will be done")


def test_who_may_approve_is_told_until_when():
    line = told_of(state="proposed", mode="approve", created_at="2026-01-05T09:50:00.000Z")
    assert line.endswith("(approve): waits for approval until 10:05:00 UTC")


def test_the_age_is_that_of_the_news_where_a_message_is_worded_late():
    message = gallery.messages()["action"]
    late = {**message.incident["timeline"][0], "at": "2026-01-05T11:20:00.000Z"}
    worded = replace(message, incident={**message.incident, "timeline": [late]})
    assert dict(facts(worded))["Since"] == "2026-01-05 09:20:00 UTC, for 2 h 0 min"


def test_that_a_page_was_sent_is_no_news_to_who_reads_it():
    message = gallery.messages()["untaken"]
    page = {**message.incident["actions"][0], "endpoint": "", "idempotency_key": "act_page"}
    entry = {
        "at": "2026-01-05T11:10:05.000Z", "kind": "action-completed", "text": "told pager",
        "detail": {"idempotency_key": "act_page"},
    }  # fmt: skip
    incident = {
        **message.incident, "actions": [page],
        "timeline": [*message.incident["timeline"], entry],
    }  # fmt: skip
    assert latest(replace(message, incident=incident)).startswith("nobody took it within 10 min")
