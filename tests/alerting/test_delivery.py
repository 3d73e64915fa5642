"""A committed transition is delivered at least once, in order, or is visibly given up."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from alerting import outbox
from alerting.outbox import Settlement, State
from tests.alerting.desk import START
from tests.alerting.loopback import LoopbackServer, Reply
from watchkeeper.errors import StorageError
from watchkeeper.storage import reading, writing


@pytest.fixture
def desk(make_desk):
    """Without rules that match: only messages."""
    return make_desk(rules={'alertname="WorkerDead"': 'alertname="NothingHere"'})


def test_an_incident_is_told_when_it_opens_and_when_it_resolves(desk, slack):
    desk.fire()
    desk.deliver()
    desk.resolve()
    desk.deliver()
    assert slack.headlines == [
        "🔴 critical: WorkerDead happened",
        "🟢 resolved: WorkerDead happened",
    ]


def test_a_receiver_that_is_down_across_fire_and_resolve_hears_both(desk, slack):
    slack.is_down = True
    desk.fire()
    desk.pass_time(5)
    desk.resolve()
    desk.pass_time(15)
    slack.is_down = False
    desk.pass_time(60)
    assert [line[0] for line in slack.headlines] == ["🔴", "🟢"]


def test_one_429_and_then_a_resolve_loses_neither(desk, slack):
    slack.script = [Reply(429, b"rate_limited", {"Retry-After": "1"})]
    desk.fire()
    desk.deliver()
    desk.clock.advance(0.5)
    desk.resolve()
    desk.pass_time(10)
    assert [line[0] for line in slack.headlines] == ["🔴", "🟢"]


def test_a_resolve_waits_while_its_trigger_is_being_retried(desk, slack):
    slack.script = [Reply(500, b"no")]
    desk.fire()
    desk.deliver()
    desk.resolve()
    assert desk.deliver() == 0
    desk.pass_time(10)
    assert [line[0] for line in slack.headlines] == ["🔴", "🟢"]


@pytest.mark.parametrize("value", ["30", "Mon, 05 Jan 2026 09:00:30 GMT"])
def test_retry_after_is_obeyed_in_seconds_and_as_a_date(desk, slack, value):
    slack.script = [Reply(429, b"", {"Retry-After": value})]
    desk.fire()
    desk.deliver()
    desk.clock.advance(START.timestamp() + 29.5 - desk.clock.now().timestamp())
    desk.deliver()
    assert slack.headlines == []
    desk.pass_time(2)
    assert len(slack.headlines) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_passing_trouble_is_tried_again_with_the_same_delivery_id(desk, slack, status):
    slack.script = [Reply(status, b"later")]
    desk.fire()
    desk.pass_time(10)
    first, second = slack.requests
    assert first.body == second.body
    assert desk.deliveries()[0]["id"] in second.body.decode()
    assert desk.deliveries()[0]["state"] == "delivered"


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 410])
def test_a_final_refusal_becomes_a_dead_letter_and_says_so(desk, slack, status):
    slack.script = [Reply(status, b"invalid_payload", {"Location": "http://127.0.0.1:1/"})]
    desk.fire()
    desk.pass_time(5)
    assert len(slack.requests) == 1
    assert desk.deliveries()[0]["state"] == "dead"
    assert "could not be told (giving up)" in desk.story()


def test_200_without_ok_is_no_delivery(desk, slack):
    slack.script = [Reply(200, b"<html>please log in</html>")]
    desk.fire()
    desk.deliver()
    assert desk.deliveries()[0]["state"] == "pending"
    desk.pass_time(10)
    assert desk.deliveries()[0]["state"] == "delivered"


def test_a_dead_letter_does_not_block_what_follows(desk, slack):
    slack.script = [Reply(400, b"no")]
    desk.fire()
    desk.resolve()
    desk.deliver()
    assert [line[0] for line in slack.headlines] == ["🟢"]


def test_a_dead_letter_is_sent_again_on_request_under_its_old_id(desk, slack):
    slack.script = [Reply(400, b"no")]
    desk.fire()
    desk.deliver()
    [dead] = desk.deliveries()
    with writing(desk.store.engine) as connection:
        assert outbox.replay(connection, dead["id"], now=desk.clock.now())
        assert not outbox.replay(connection, dead["id"], now=desk.clock.now())
    desk.deliver()
    assert desk.deliveries()[0]["state"] == "delivered"
    assert dead["id"] in json.dumps(slack.taken[-1])


@pytest.mark.parametrize(
    ("since", "until", "receiver", "replayed"),
    [
        (None, None, "", [0, 1, 2]),
        (None, None, "slack", [0, 1, 2]),
        (None, None, "somebody else", []),
        (100, None, "", [1, 2]),
        (None, 100, "", [0]),
        (100, 200, "", [1]),
    ],
)
def test_of_the_dead_letters_those_of_a_range_and_a_receiver_are_sent_again(
    desk, slack, since, until, receiver, replayed
):
    slack.script = [Reply(400, b"no")] * 3
    began = desk.clock.now()
    for service in ("a", "b", "c"):
        desk.fire(service=service)
        desk.deliver()
        desk.clock.advance(100)
    dead = sorted(desk.deliveries(), key=lambda one: one["created_at"])
    assert [one["state"] for one in dead] == ["dead"] * 3

    def moment(seconds):
        return None if seconds is None else began + timedelta(seconds=seconds)

    with writing(desk.store.engine) as connection:
        ids = outbox.replay_many(
            connection, receiver=receiver, since=moment(since), until=moment(until),
            now=desk.clock.now(),
        )  # fmt: skip
    assert ids == [dead[place]["id"] for place in replayed]
    pending = {one["id"] for one in desk.deliveries() if one["state"] == "pending"}
    assert pending == set(ids)


def test_after_a_day_of_failures_a_delivery_is_given_up(desk, slack):
    slack.is_down = True
    desk.fire()
    desk.pass_time(26 * 3600, step_seconds=600)
    [delivery] = desk.deliveries()
    assert delivery["state"] == "dead"
    assert delivery["attempts"] > 20


def test_a_message_sent_but_not_yet_marked_is_repeated_with_the_same_id_after_a_crash(desk, slack):
    desk.fire()
    with writing(desk.store.engine) as connection:
        [claim] = outbox.claim(connection, "slack", now=desk.clock.now())
    desk._notifier().send(claim.message, now=desk.clock.now())
    desk.close()
    desk.open()
    desk.deliver()
    first, second = slack.taken
    assert first == second


def test_a_worker_that_lost_its_lease_cannot_settle(desk, slack):
    desk.fire()
    with writing(desk.store.engine) as connection:
        [late] = outbox.claim(connection, "slack", now=desk.clock.now())
    desk.clock.advance(outbox.LEASE_SECONDS + 1)
    with writing(desk.store.engine) as connection:
        [newer] = outbox.claim(connection, "slack", now=desk.clock.now())
        assert newer.message.delivery_id == late.message.delivery_id
        done = [Settlement(claim, State.DELIVERED) for claim in (late, newer)]
        assert outbox.settle(connection, done[:1], now=desk.clock.now()) == set()
        found = outbox.settle(connection, done[1:], now=desk.clock.now())
        assert found == {newer.message.delivery_id}


def test_updates_keep_their_distance_and_the_newest_says_everything(desk, slack):
    desk.fire()
    desk.deliver()
    for number in range(20):
        desk.fire("WorkerDead", replica=str(number))
        desk.pass_time(1)
    desk.pass_time(60)
    updates = [line for line in slack.headlines if line.startswith("🟠")]
    assert 1 <= len(updates) <= 2
    assert "and 20 more" in updates[-1]


def test_without_a_receiver_the_incident_says_so_once(make_desk, monkeypatch):
    monkeypatch.delenv("TEST_SLACK_URL")
    desk = make_desk()
    desk.fire()
    desk.fire("WorkerDead", replica="2")
    assert desk.story().count("no receiver configured") == 1
    assert desk.deliveries() == []


def test_a_message_says_enough_to_act_on(make_desk, slack):
    desk = make_desk()
    desk.fire()
    desk.pass_time(20)
    told = json.dumps(slack.taken[-1], ensure_ascii=False)
    assert "restart-service on worker (auto, 2026-01-05 09:00:01 UTC): worked" in told
    assert f"http://console.example/incidents/{desk.incident()['id']}" in told
    assert "*Since* 2026-01-05 09:00:00 UTC" in told
    assert desk.deliveries()[-1]["id"] in told


def test_in_a_storm_one_digest_tells_of_all_and_nothing_vanishes(make_desk, slack):
    desk = make_desk()
    for number in range(40):
        desk.fire("Slow", service=f"s{number}")
    desk.deliver()
    assert len(slack.taken) == 1
    assert slack.headlines == ["⛈ 40 messages at once: 40 opened"]
    assert "and 10 more in the console" in json.dumps(slack.taken)
    assert {delivery["state"] for delivery in desk.deliveries()} == {"delivered"}
    assert all(found["timeline"][-1]["kind"] == "notified" for found in desk.incidents())


def test_a_storm_that_is_refused_is_tried_again_as_a_whole(make_desk, slack):
    desk = make_desk()
    for number in range(20):
        desk.fire("Slow", service=f"s{number}")
    slack.script = [Reply(503, b"later")]
    desk.deliver()
    assert {delivery["state"] for delivery in desk.deliveries()} == {"pending"}
    desk.pass_time(15)
    assert {delivery["state"] for delivery in desk.deliveries()} == {"delivered"}


def test_a_receiver_s_own_limit_is_kept(desk, slack, clock):
    desk.fire("Slow", service="a")
    desk.fire("Slow", service="b")
    assert desk.courier.step()
    assert not desk.courier.step()
    clock.advance(1)
    assert desk.courier.step()


@pytest.fixture
def hook(desk):
    """The desk's receiver, without a limit of its own: rounds follow each other at once."""
    with LoopbackServer(lambda _request: Reply()) as server:
        text = desk.alerting_file.read_text()
        place = f"kind: webhook, url: '{server.url}', signing_secret: {{env: TEST_SECRET}}"
        slack = "kind: slack, webhook_url: {env: TEST_SLACK_URL, optional: true}"
        assert slack in text
        desk.alerting_file.write_text(text.replace(slack, place))
        desk.configuration.reload_if_changed()
        assert desk.configuration.problems() == []
        yield server


@pytest.fixture
def session_ends(desk):
    """Have every commit fail, as when the database ends the session of a stopped process."""
    engine = desk.store.engine

    def fail_to_commit(_connection):
        raise sa.exc.OperationalError("COMMIT", {}, Exception("session ended"))

    def switch(*, is_on=True):
        (sa.event.listen if is_on else sa.event.remove)(engine, "commit", fail_to_commit)

    return switch


def test_what_was_claimed_in_a_transaction_that_failed_is_anybodys(desk, hook, session_ends):
    def send_another_and_lose_the_database(_request):
        hook.answer = lambda _request: Reply()
        desk.fire("Slow", service="b")
        session_ends()
        return Reply()

    desk.fire("Slow", service="a")
    hook.answer = send_another_and_lose_the_database
    with pytest.raises(StorageError):
        desk.courier.step()
    session_ends(is_on=False)
    desk.deliver()
    desk.clock.advance(outbox.LEASE_SECONDS)
    desk.deliver()
    services = Counter(one.json["data"]["incident"]["service"] for one in hook.requests)
    assert services == {"a": 2, "b": 1}  # of the first nobody knows that it was sent
    assert {one["state"] for one in desk.deliveries()} == {"delivered"}


def test_a_failure_is_counted_when_it_is_on_disk_and_not_before(desk, slack, session_ends):
    def counted():
        labels = {"receiver": "slack", "outcome": "retried"}
        return desk.registry.get_sample_value("watchkeeper_deliveries_total", labels) or 0

    def lose_the_database(_request):
        session_ends()
        return Reply(500)

    desk.fire()
    slack.answer = lose_the_database
    with pytest.raises(StorageError):
        desk.courier.step()
    session_ends(is_on=False)
    assert counted() == 0
    slack.answer = lambda _request: Reply(500)
    desk.clock.advance(outbox.LEASE_SECONDS)
    desk.courier.step()
    assert counted() == 1


def test_of_a_round_what_is_still_held_is_settled_and_the_rest_left_to_who_took_it(desk):
    for service in ("a", "b", "c"):
        desk.fire("Slow", service=service)
    now = desk.clock.now()
    with writing(desk.store.engine) as connection:
        good, bad, lost = outbox.claim(connection, "slack", now=now, limit=3)
    desk.clock.advance(outbox.LEASE_SECONDS)
    with writing(desk.store.engine) as connection:
        [taken] = outbox.claim(connection, "slack", now=desk.clock.now())
        assert taken.key == good.key
        again_at = desk.clock.now() + timedelta(seconds=7)
        outcomes = [
            Settlement(good, State.DELIVERED),
            Settlement(bad, State.PENDING, next_attempt_at=again_at, error="busy"),
            Settlement(lost, State.DEAD, error="gone"),
        ]
        held = outbox.settle(connection, outcomes, now=desk.clock.now())
    assert held == {bad.message.delivery_id, lost.message.delivery_id}
    found = {one["id"]: (one["state"], one["error"]) for one in desk.deliveries()}
    assert found == {
        good.message.delivery_id: ("claimed", None),
        bad.message.delivery_id: ("pending", "busy"),
        lost.message.delivery_id: ("dead", "gone"),
    }
    with reading(desk.store.engine) as connection:
        for seconds, is_due in ((6, False), (7, True)):
            due_at = again_at + timedelta(seconds=seconds - 7)
            assert outbox.is_any_due(connection, "slack", now=due_at) is is_due


def test_who_has_nothing_to_do_takes_no_turn_to_write(desk):
    with ThreadPoolExecutor(2) as pool, writing(desk.store.engine):
        idle = [pool.submit(desk.courier.step), pool.submit(desk.remediator.step)]
        assert [one.result(60) for one in idle] == [False, False]
