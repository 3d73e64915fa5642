"""Several replicas on one PostgreSQL: one message, one action, whatever befalls one of them."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter

import pytest

from alerting import actions, audit, outbox
from tests.alerting import postgres
from tests.alerting.desk import RULES
from tests.alerting.loopback import SECRET, LoopbackServer, Reply
from tests.alerting.process import AlertingProcess
from tests.waiting import wait_until
from watchkeeper import storage
from watchkeeper.clock import SystemClock
from watchkeeper.errors import StorageError
from watchkeeper.shared_clock import SharedClock
from watchkeeper.storage import open_database, reading, writing

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with postgres.running(tmp_path_factory.mktemp("postgres")) as port:
        yield port


@pytest.fixture
def url(server):
    return postgres.new_database(server)


@pytest.fixture
def replicas(make_desk, url):
    return make_desk(database_url=url), make_desk(database_url=url)


def test_the_whole_story_is_the_same_on_postgresql(replicas, endpoint, slack):
    first, second = replicas
    first.fire()
    first.pass_time(20)
    second.resolve()
    second.pass_time(20)
    assert second.incident()["status"] == "resolved"
    assert second.actions()[0]["state"] == "succeeded"
    assert len(endpoint.effects) == 1
    second.fire("WorkerDead", replica="2")
    assert second.similar()[0]["fixed_by"] == ["restart-service on worker"]
    second.clock.advance(100 * 86400)
    assert second.sweep()["incidents"] == 1
    with reading(second.store.engine) as connection:
        assert audit.first_break(connection) is None


def test_postgresql_itself_refuses_to_change_the_audit(replicas):
    desk, _ = replicas
    desk.switch_rule("restart", "off")
    for change in ("UPDATE audit SET actor = 'eve'", "DELETE FROM audit"):
        with pytest.raises(StorageError, match="append-only"), writing(desk.store.engine) as c:
            c.exec_driver_sql(change)


def test_two_that_look_at_once_send_each_message_once(replicas, slack):
    for number in range(5):
        replicas[0].fire("Down", service=f"s{number}")
    threads = [threading.Thread(target=desk.deliver) for desk in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(slack.taken) == 5
    assert len(set(slack.headlines)) == 1


def test_what_a_killed_replica_was_sending_another_sends_under_the_same_id(replicas, slack):
    killed, other = replicas
    killed.fire()
    with writing(killed.store.engine) as connection:
        [claim] = outbox.claim(connection, "slack", now=killed.clock.now())
    assert other.deliver() == 0
    other.clock.advance(outbox.LEASE_SECONDS)
    other.deliver()
    [shown] = slack.taken
    assert claim.message.delivery_id in str(shown)


def test_a_replica_stopped_past_its_lease_sends_nothing_when_it_wakes(replicas, slack):
    stopped, other = replicas
    stopped.fire()
    with writing(stopped.store.engine) as connection:
        parcels = [[claim] for claim in outbox.claim(connection, "slack", now=stopped.clock.now())]
    stopped.courier._next = parcels  # as between taking the lease and sending
    other.clock.advance(outbox.LEASE_SECONDS)
    other.deliver()
    stopped.courier.step()
    assert len(slack.taken) == 1
    assert {one["state"] for one in other.deliveries()} == {"delivered"}


def test_an_action_of_a_killed_replica_is_asked_about_and_never_repeated(replicas, endpoint):
    killed, other = replicas
    killed.fire()
    killed.remediator.step()
    endpoint.lose_answers = 1
    with writing(killed.store.engine) as connection:
        action = actions.take_due(connection, now=killed.clock.now())
        actions.settle(
            connection, action, keep_lease=True, state="dispatched",
            dispatched_at=killed.clock.now(),
        )  # fmt: skip
    killed.remediator._call(killed.remediator._endpoint(action), action)  # and dies
    other.act()
    assert len(endpoint.calls) == 1
    other.clock.advance(actions.LEASE_SECONDS)
    other.pass_time(20)
    assert len(endpoint.effects) == 1
    assert len(endpoint.calls) == 1
    assert other.actions()[0]["state"] == "succeeded"


def test_a_replica_stopped_before_its_call_does_not_make_it_late(replicas, endpoint):
    stopped, other = replicas
    stopped.fire()
    stopped.remediator.step()
    with writing(stopped.store.engine) as connection:
        action = actions.take_due(connection, now=stopped.clock.now())
    other.clock.advance(actions.LEASE_SECONDS)
    reply = stopped.remediator._call(stopped.remediator._endpoint(action), action)
    assert reply.outcome == "not_sent"
    assert endpoint.calls == []


def test_a_hundred_triggers_to_both_at_once_are_one_action(replicas, endpoint):
    def storm(desk):
        for number in range(50):
            desk.fire("WorkerDead", replica=f"{id(desk)}-{number}")
            desk.act()

    threads = [threading.Thread(target=storm, args=(desk,)) for desk in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    replicas[0].pass_time(10)
    assert len(endpoint.effects) == 1
    assert len(replicas[0].incidents()) == 1


def test_a_session_stuck_in_a_transaction_does_not_keep_the_others_from_writing(url, monkeypatch):
    monkeypatch.setitem(storage._POSTGRES_SESSION, "idle_in_transaction_session_timeout", "300ms")
    stuck, other = open_database(url), open_database(url)

    def write_when_the_other_has_written():
        with writing(stuck) as connection:
            with writing(other):
                pass
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StorageError):
        write_when_the_other_has_written()
    stuck.dispose()
    other.dispose()


def test_replicas_go_by_the_databases_clock(url):
    engine = open_database(url)
    first, second = SharedClock(engine), SharedClock(engine)
    assert abs((first.now() - second.now()).total_seconds()) < 1
    assert abs((first.now() - SystemClock().now()).total_seconds()) < 5
    engine.dispose()


@pytest.fixture
def hook():
    with LoopbackServer(lambda _request: Reply()) as receiver:
        yield receiver


@pytest.fixture
def processes(tmp_path, url, hook, endpoint):
    """Two real ones on one database."""
    running = []
    for name in ("a", "b"):
        directory = tmp_path / name
        directory.mkdir()
        (directory / "alerting.yml").write_text(
            "database: {env: TEST_DATABASE}\negress: {allow: [127.0.0.0/8]}\n"
            f'receivers: [{{name: hook, kind: webhook, url: "{hook.url}",'
            " signing_secret: {env: TEST_SECRET}}]\nroute: {receivers: [hook]}\n"
        )
        rules = RULES.replace("URL", endpoint.url).replace("DEDUPLICATES", "false")
        budget = "budget: {actions: 100, window: 1h}\n"
        rules = budget + rules.replace("    mode: auto\n", f"    mode: auto\n    {budget}")
        (directory / "remediation.yml").write_text(rules)
        process = AlertingProcess(directory, {"TEST_DATABASE": url, "TEST_SECRET": SECRET})
        process.launch()
        running.append(process)
    for process in running:
        wait_until(process.peer.is_ready, what="a replica is ready", timeout_seconds=40)
    yield running
    for process in running:
        os.kill(process.pid, signal.SIGCONT)
        process.stop()


def test_stopped_and_continued_processes_send_and_act_once(processes, hook, endpoint):
    first, second = processes

    def post(process, number):
        labels = {"alertname": "WorkerDead", "service": f"s{number}", "process": f"w{number}"}
        process.peer.post("/api/v2/alerts", [{"labels": labels}])

    for number in range(10):
        post(processes[number % 2], number)
    os.kill(first.pid, signal.SIGSTOP)
    for number in range(10, 15):
        post(second, number)
    late = {f"s{number}" for number in range(10, 15)}
    wait_until(lambda: late <= told(hook), what="the other goes on", timeout_seconds=30)
    os.kill(first.pid, signal.SIGCONT)
    wait_until(lambda: len(told(hook)) == 15, what="everything is told", timeout_seconds=30)
    wait_until(lambda: undone(second, endpoint) <= IN_DOUBT, what="all done", timeout_seconds=60)
    sent = Counter(request.headers["webhook-id"] for request in hook.requests)
    assert set(sent.values()) == {1}
    assert len(openings(hook)) == 15
    called = Counter(call.headers["webhook-id"] for call in endpoint.calls)
    assert set(called.values()) == {1}


IN_DOUBT = {"asking", "verifying", "unknown", "failed"}
"""A call that the stopped process may have been in the middle of is asked about, not made again."""


def undone(process, endpoint):
    """Return the states of the actions whose effect has not come, and of those not made yet."""
    actions = process.peer.get("/api/v1/actions")["actions"]
    missing = {"not made"} if len(actions) < 15 else set()
    return missing | {a["state"] for a in actions if a["target"] not in targets(endpoint)}


def targets(endpoint):
    return {call.json["data"]["target"] for call in endpoint.calls}


def told(hook):
    return {opened["data"]["incident"]["service"] for opened in openings(hook)}


def openings(hook):
    return [r.json for r in list(hook.requests) if r.json["type"] == "incident.opened"]
