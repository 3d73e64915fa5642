import json
import logging
import sqlite3
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.remediation.calls import OTHER_SECRET, body, headers
from tests.waiting import wait_until
from watchkeeper import storage
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.clock import SystemClock, format_rfc3339

CACHE = {"redis": {"host": "127.0.0.1", "port": 1}, "pattern": "shop:cache:*"}
"""Nothing listens on port 1: what reaches the cache server fails at once."""

SCALE = {"action": "scale-out", "target": "web"}


@pytest.fixture
def shop(endpoint):
    return endpoint(clear_cache={"shop": CACHE}, scale_out={"web": {"maximum": 3}})


def audit(caplog):
    return [
        (record.getMessage(), record.outcome)
        for record in caplog.records
        if "outcome" in vars(record)
    ]


def test_an_action_that_fails_says_why_and_is_not_done_again(shop):
    text = body()
    entry = shop.finished(shop.post(text))
    assert entry["state"] == "failed"
    assert "cache server 127.0.0.1:1" in entry["error"]
    again = shop.post(text)
    assert (again.status_code, again.get_json()["state"]) == (202, "failed")
    assert shop.entry(entry["idempotency_key"]) == entry


def test_how_far_an_action_is_can_be_asked_while_it_runs(endpoint):
    job = endpoint(run_command={"job": {"command": ["/bin/sleep", "600"], "time_limit": "1s"}})
    key = job.call(action="run-command", target="job").get_json()["idempotency_key"]
    told = "running /bin/sleep 600"
    wait_until(lambda: job.entry(key)["progress"] == told, what="it says what it does")
    wait_until(lambda: job.entry(key)["finished_at"], what="it has ended")
    assert "was killed" in job.entry(key)["error"]


def test_what_was_accepted_is_done_and_noted_however_long_the_ledger_is_busy(
    endpoint, data_dir, monkeypatch, caplog
):
    """As during a backup: the end of one action and the beginning of the next wait for it."""
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_SECONDS", 0.1)
    gate = data_dir / "gate"
    wait = f"until test -e {gate}; do sleep 0.05; done"
    job = endpoint(run_command={"job": {"command": ["/bin/sh", "-c", wait], "time_limit": "5m"}})
    keys = [
        job.call(action="run-command", target="job", fencing_token=turn).get_json()[
            "idempotency_key"
        ]
        for turn in (1, 2)
    ]
    wait_until(lambda: job.entry(keys[0])["state"] == "running", what="the first runs")
    [file] = data_dir.rglob("*.sqlite")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    gate.touch()
    wait_until(lambda: "the ledger cannot be written" in caplog.text, what="it is missed")
    other.execute("COMMIT")
    other.close()
    wait_until(
        lambda: [job.entry(key)["state"] for key in keys] == ["succeeded", "succeeded"],
        what="both are done and noted",
    )


def test_a_replayed_message_is_answered_and_noted_but_not_done_again(shop, caplog):
    caplog.set_level(logging.INFO)
    text = body()
    sent = headers(text)
    shop.finished(shop.post(text, sent))
    assert shop.post(text, sent).status_code == 202
    assert audit(caplog) == [("call taken", "accepted"), ("call taken", "repeated")]
    assert f'{own.ENDPOINT_DURATION.count}{{action="clear-cache"}} 1.0' in shop.metrics()


@pytest.mark.parametrize(
    ("data", "sent", "status", "outcome"),
    [
        ({}, {"secret": OTHER_SECRET}, 401, "unproven"),
        ({}, {"sent_at": SystemClock().now() - timedelta(minutes=6)}, 401, "stale"),
        ({"expires_at": format_rfc3339(SystemClock().now())}, {}, 409, "expired"),
        ({"action": "reboot"}, {}, 422, "unacceptable"),
        ({"target": "other"}, {}, 422, "unacceptable"),
        ({"parameters": {"force": 1}}, {}, 422, "unacceptable"),
        ({**SCALE, "parameters": {"by": 0}}, {}, 422, "unacceptable"),
        ({**SCALE, "parameters": {"by": 1, "instances": 2}}, {}, 422, "unacceptable"),
        ({**SCALE, "parameters": {"by": True}}, {}, 422, "unacceptable"),
        ({"action": None}, {}, 422, "unacceptable"),
        ({"expires_at": "2026-01-01T00:00:00"}, {}, 422, "unacceptable"),
        ({"fencing_token": -1}, {}, 422, "unacceptable"),
    ],
)  # fmt: skip
def test_a_refused_call_is_told_why_logged_and_counted(shop, caplog, data, sent, status, outcome):
    text = body(**data)
    answer = shop.post(text, headers(text, **sent))
    assert answer.status_code == status
    assert answer.get_json()["error"]["reason"] == outcome
    assert answer.get_json()["error"]["message"]
    assert audit(caplog) == [("call refused", outcome)]
    assert f'outcome="{outcome}"}} 1.0' in shop.metrics()
    assert shop.http.get("/api/v1/actions").get_json() == {"actions": []}


def test_a_tampered_call_is_refused(shop):
    text = body(target="web")
    tampered = text.replace('"web"', '"shop"')
    assert shop.post(tampered, headers(text)).status_code == 401


def test_an_old_fencing_token_is_refused(shop):
    shop.finished(shop.call(fencing_token=5))
    answer = shop.call(fencing_token=4)
    assert (answer.status_code, answer.get_json()["error"]["reason"]) == (409, "fenced")


def test_a_strangers_words_do_not_become_label_values(shop):
    shop.call(action="x" * 30)
    assert "xxx" not in shop.metrics()
    assert f'{own.ENDPOINT_CALLS}{{action="unknown",outcome="unacceptable"}}' in shop.metrics()


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=8), some, max_size=3)
    ),
    max_leaves=8,
)


@settings(
    max_examples=60,
    deadline=None,
    # The endpoint refuses every example, so none leaves anything behind for the next.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ANY_JSON)
def test_a_signed_call_of_any_shape_gets_a_clear_answer(shop, shape):
    for text in (json.dumps(shape), json.dumps({"type": "remediation.action", "data": shape})):
        answer = shop.post(text)
        assert answer.status_code == 422
        assert answer.get_json()["error"]["message"]


def test_a_body_that_is_too_large_is_refused(shop):
    assert shop.call(parameters={"x": "y" * (1 << 20)}).status_code == 413


def test_an_unknown_key_is_not_found(shop):
    assert shop.http.get("/api/v1/actions/nothing").status_code == 404


def test_an_edit_of_the_file_takes_effect_and_a_bad_one_keeps_the_old(shop, write_config):
    write_config(clear_cache={"shop": CACHE, "news": {**CACHE, "pattern": "news:*"}})
    assert shop.call(target="news").status_code == 202
    shop.config.write_text("actions: {reboot: {}}")
    assert shop.call(target="news").status_code == 202
    name = own.CONFIG_RELOAD_OK
    assert f'{name}{{file="endpoint.yml"}} 0.0' in shop.metrics()


def test_without_supervised_targets_it_needs_no_supervisor_to_be_ready(endpoint):
    assert endpoint(clear_cache={"shop": CACHE}).http.get("/readyz").status_code == 200


def test_with_supervised_targets_it_says_that_the_supervisor_is_away(shop):
    answer = shop.http.get("/readyz")
    assert answer.status_code == 503
    assert "no supervisor runs" in answer.get_json()["reasons"]["supervisor"]
