"""Several replicas on one PostgreSQL: one message, one action, whatever befalls one of them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter

import pytest
import sqlalchemy as sa

from alerting import actions, audit, outbox, response
from alerting.person import Person, Proof
from tests.alerting import postgres
from tests.alerting.desk import RULES
from tests.alerting.loopback import SECRET, LoopbackServer, Reply
from tests.alerting.process import AlertingProcess
from tests.alerting.tcp_proxy import TcpProxy
from tests.waiting import wait_until
from watchkeeper import storage
from watchkeeper.clock import SystemClock
from watchkeeper.errors import StorageError, UpstreamError
from watchkeeper.peers import Peer
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
def patient(monkeypatch):
    """Have the server end no session of ours, however seldom a busy machine lets us run."""
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        monkeypatch.setitem(storage._POSTGRES_SESSION, name, "120s")


@pytest.fixture
def replicas(patient, make_desk, url):
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


def test_a_first_message_waits_on_postgresql_too_and_a_proven_name_is_kept(replicas, slack):
    first, second = replicas
    for desk in replicas:
        desk.reconfigure("", route="{receivers: [slack], group_wait: 30s}")
    first.fire("Slow")
    first.clock.advance(10)
    second.resolve("Slow")
    first.clock.advance(30)
    assert (first.deliver(), second.deliver()) == (0, 0)
    assert "over within the group_wait: slack was not told" in first.story()

    first.fire("Slow", service="pay")
    second.silence('service="pay"', seconds=60)
    first.clock.advance(31)
    assert (first.deliver(), second.deliver()) == (0, 0)
    first.clock.advance(40)
    second.router.review()
    assert first.deliver() + second.deliver() == 1
    assert len(slack.headlines) == 1

    [found, _over] = second.incidents()
    second._do(
        lambda work: response.acknowledge(
            found["id"], by=Person("ana", Proof.TOKEN), text="", work=work
        )
    )
    with reading(second.store.engine) as connection:
        [row, *_older] = audit.newest(connection, 10)
        assert (row["actor"], row["detail"]["name_is"]) == ("ana", "token")
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
def wire(server):
    with TcpProxy(server) as proxy:
        yield proxy


@pytest.fixture
def processes(tmp_path, url, hook, endpoint, wire):
    """Two real ones on one database, the first over a wire that can be cut."""
    over_the_wire = url.replace(f":{sa.make_url(url).port}/", f":{wire.port}/")
    running = [
        start_replica(tmp_path / "a", over_the_wire, hook, endpoint),
        start_replica(tmp_path / "b", url, hook, endpoint),
    ]
    for process in running:
        wait_until(process.peer.is_ready, what="a replica is ready", timeout_seconds=PATIENCE)
    yield running
    wire.mend()
    for process in running:
        os.kill(process.pid, signal.SIGCONT)
        process.stop()


PATIENCE = 120.0
"""Seconds; a replica that was cut off holds others up for as long as the database lets it."""


def start_replica(directory, url, hook, endpoint):
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
    return process


def post(process, number):
    """Send an alert again until it is taken, as Prometheus does."""
    labels = {"alertname": "WorkerDead", "service": f"s{number}", "process": f"w{number}"}

    def is_taken():
        try:
            process.peer.post("/api/v2/alerts", [{"labels": labels}])
        except UpstreamError:
            return False
        return True

    wait_until(is_taken, what=f"alert {number} is taken", timeout_seconds=PATIENCE)


def test_stopped_and_continued_processes_send_and_act_once(processes, hook, endpoint):
    first, second = processes
    for number in range(10):
        post(processes[number % 2], number)
    stopped_at = time.monotonic()
    os.kill(first.pid, signal.SIGSTOP)
    for number in range(10, 15):
        post(second, number)
    wait_until(
        lambda: services(range(10, 15)) <= told(hook),
        what="the other goes on",
        timeout_seconds=PATIENCE,
    )
    os.kill(first.pid, signal.SIGCONT)
    assert_each_told_and_done_once(second, hook, endpoint, time.monotonic() - stopped_at)


def test_a_replica_cut_off_from_the_database_confirms_nothing_and_nothing_is_told_twice(
    processes, hook, endpoint, wire
):
    first, second = processes
    for number in range(10):
        post(processes[number % 2], number)
    cut_at = time.monotonic()
    wire.cut()
    asked = Peer("alerting", base_url=first.peer.base_url, timeout_seconds=2)
    with pytest.raises(UpstreamError):
        asked.post("/api/v2/alerts", [{"labels": {"alertname": "WorkerDead", "service": "x"}}])
    assert not asked.is_ready()
    for number in range(10, 15):
        post(second, number)
    wait_until(
        lambda: services(range(10, 15)) <= told(hook),
        what="the other goes on",
        timeout_seconds=PATIENCE,
    )
    wire.mend()
    wait_until(first.peer.is_ready, what="it is back", timeout_seconds=PATIENCE)
    post(first, 14)
    assert_each_told_and_done_once(second, hook, endpoint, time.monotonic() - cut_at)


def assert_each_told_and_done_once(process, hook, endpoint, away_seconds):
    """Assert it of fifteen alerts, when one of the replicas was away for so long."""
    wait_until(
        lambda: services(range(15)) <= told(hook) and undone(process, endpoint) <= IN_DOUBT,
        what="everything is told and done",
        timeout_seconds=PATIENCE,
    )
    # Within its lease nobody takes over what a replica was sending when it went away.
    may_repeat = away_seconds > outbox.LEASE_SECONDS - outbox.ATTEMPT_SECONDS
    ids = {name: [] for name in services(range(15))}
    for request in list(hook.requests):
        if request.json["type"] == "incident.opened":
            service = request.json["data"]["incident"]["service"]
            ids.setdefault(service, []).append(request.headers["webhook-id"])
    repeated = {name: found for name, found in ids.items() if len(found) > 1}
    assert may_repeat or not repeated
    assert all(len(set(found)) == 1 for name, found in ids.items() if name != "x")
    called = Counter(call.headers["webhook-id"] for call in endpoint.calls)
    assert set(called.values()) == {1}


def services(numbers):
    return {f"s{number}" for number in numbers}


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


def test_a_nul_in_somebodys_answer_costs_nobody_a_message(patient, make_desk, url, monkeypatch):
    """PostgreSQL keeps none; noting it failed the whole round again and again."""

    def answer(request):
        is_bad = request.json["data"]["incident"]["service"] == "a"
        return Reply(400, b"bad \x00 byte") if is_bad else Reply()

    with LoopbackServer(answer) as hook:
        desk = make_desk(database_url=url)
        place = f"kind: webhook, url: '{hook.url}', signing_secret: {{env: TEST_SECRET}}"
        slack = "kind: slack, webhook_url: {env: TEST_SLACK_URL, optional: true}"
        desk.alerting_file.write_text(desk.alerting_file.read_text().replace(slack, place))
        desk.configuration.reload_if_changed()
        for name in "abc":
            desk.fire("Slow", service=name)
        desk.deliver()
        states = {one["state"]: one["error"] for one in desk.deliveries()}
        assert states == {"delivered": None, "dead": "answered 400: bad \ufffd byte"}
        assert len(hook.requests) == 3
