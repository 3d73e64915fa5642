"""A real Redis-compatible server is watched over one connection."""

import pytest
import redis

import agent.process
from agent.collector import CollectionFailed
from agent.collectors.redis import RedisCollector
from agent.redis.info import families_of
from agent.resp import RedisConnection
from agent.resp_answers import CommandRefused
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page
from tests.waiting import wait_until
from watchkeeper.clock import SystemClock
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.listen import Listen

pytestmark = pytest.mark.live


def collector_of(port, *, user=None, password=""):
    return RedisCollector(
        host="127.0.0.1", port=port, user=user, password=password, timeout_seconds=1.0
    )


@pytest.fixture
def client(valkey_port):
    with redis.Redis(port=valkey_port) as client:
        client.flushall()
        client.config_resetstat()
        yield client


@pytest.fixture
def collector(valkey_port):
    collector = collector_of(valkey_port)
    yield collector
    collector.close()


def collected(collector):
    return written(collector.collect())


def written(families):
    return Page(text_of(Renderer().render(list(families)), TextFormat.PROMETHEUS))


def test_a_server_is_up_and_told_of_under_its_address(collector, client, valkey_port):
    client.set("key", "value")
    client.get("key")
    client.get("nothing")
    client.set("soon gone", 1, ex=1000)
    page = collected(collector)
    assert page.value("redis_up", server=f"127.0.0.1:{valkey_port}") == 1
    assert page.value("redis_keyspace_hits_total") == 1
    assert page.value("redis_keyspace_misses_total") == 1
    assert page.value("redis_db_keys", db="db0") == 2
    assert page.value("redis_db_keys_expiring", db="db0") == 1
    assert page.value("redis_db_keys", db="db15") == 0
    assert page.value("redis_commands_total", cmd="get") == 2
    assert page.value("redis_commands_duration_seconds_total", cmd="get") > 0
    assert page.value("redis_memory_used_bytes") == pytest.approx(
        client.info("memory")["used_memory"], rel=0.2
    )
    assert page.value("redis_config_maxclients") == 10000
    assert page.value("redis_rdb_last_bgsave_status") == 1
    assert page.value("redis_start_time_seconds") > 1.6e9
    assert page.value("redis_latency_percentiles_usec", cmd="get", quantile="99") > 0
    assert page.families["redis_latency_percentiles_usec"].type == "summary"
    count = {s.labels["cmd"]: s.value for s in page.samples if s.name.endswith("usec_count")}
    assert count["get"] == 2


def test_errors_and_slow_commands_are_told(collector, client):
    client.config_set("slowlog-log-slower-than", 0)
    with pytest.raises(redis.ResponseError):
        client.execute_command("LPUSH")
    client.get("slow enough")
    client.config_set("slowlog-log-slower-than", 10000)
    page = collected(collector)
    assert page.value("redis_errors_total", err="ERR") >= 1
    assert page.value("redis_slowlog_length") >= 1
    assert page.value("redis_last_slow_execution_duration_seconds") > 0


def test_a_replica_and_its_primary_tell_of_each_other():
    primary = {
        "connected_slaves": "1",
        "slave0": "ip=10.0.0.2,port=6379,state=online,offset=1400,lag=1",
        "slave_expires_tracked_keys": "0",
    }
    replica = {
        "master_host": "10.0.0.1",
        "master_port": "6379",
        "master_link_status": "down",
        "master_last_io_seconds_ago": "7",
        "slave_repl_offset": "1300",
    }
    told = written(families_of("s", primary, {}))
    assert told.value("redis_connected_slave_offset_bytes", slave_ip="10.0.0.2") == 1400
    assert told.value("redis_connected_slave_lag_seconds", slave_state="online") == 1
    told = written(families_of("s", replica, {}))
    assert told.value("redis_master_link_up", master_host="10.0.0.1") == 0
    assert told.value("redis_master_last_io_seconds_ago", master_port="6379") == 7


def test_however_often_it_is_asked_it_sees_one_connection_of_ours(collector, client):
    for _ in range(5):
        collected(collector)
    names = [entry["name"] for entry in client.client_list()]
    assert names.count("watchkeeper-agent") == 1


def test_a_connection_that_was_cut_is_told_and_made_again(collector, client):
    collected(collector)
    client.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(CollectionFailed) as caught:
        collected(collector)
    (down,) = caught.value.families
    assert (str(down.metric), down.samples[0][1]) == ("redis_up", 0)
    assert collected(collector).value("redis_up") == 1


def test_a_user_who_may_only_ask_for_info_is_told_the_rest_is_unknown(valkey_port, client):
    client.acl_setuser("watcher", enabled=True, passwords=["+pw"], commands=["+info"])
    collector = collector_of(valkey_port, user="watcher", password="pw")
    page = collected(collector)
    collector.close()
    assert page.value("redis_up") == 1
    assert page.value("redis_slowlog_length") is None
    assert page.value("redis_config_maxclients") is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wrong"}, Reason.AUTHENTICATION),
        ({"user": "nobody", "password": "pw"}, Reason.AUTHENTICATION),
    ],
)
def test_a_password_that_is_refused_is_told_without_showing_it(valkey_port, changes, reason):
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(valkey_port, **changes))
    assert caught.value.reason is reason
    assert "wrong" not in str(caught.value)


def test_a_password_that_was_changed_is_taken_up_without_a_restart(valkey_port, client, tmp_path):
    client.acl_setuser("rotated", enabled=True, passwords=["+old"], commands=["+@all"])
    secret, config = tmp_path / "password", tmp_path / "agent.yml"
    secret.write_text("old")
    config.write_text(
        "interval: 100ms\nhost: {collectors: []}\n"
        f"redis: [{{port: {valkey_port}, user: rotated, password: {{file: {secret}}}}}]\n"
    )
    watching = agent.process.Agent(config, Listen("127.0.0.1", 0), SystemClock())
    watching.start()

    def up():
        return Page(watching.page(TextFormat.PROMETHEUS, is_compressed=False)).value("redis_up")

    try:
        wait_until(lambda: up() == 1, what="the first login")
        client.acl_setuser("rotated", enabled=True, passwords=["+new", "-old"])
        client.client_kill_filter(user="rotated")
        wait_until(lambda: up() == 0, what="the login being refused")
        secret.write_text("new")
        wait_until(lambda: up() == 1, what="the new password being taken up")
    finally:
        watching.stop()


def test_a_server_that_is_not_there_is_told():
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(1))
    assert caught.value.reason is Reason.CONNECTION


def test_a_server_that_accepts_and_says_nothing_is_given_up_on(silent_port):
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(silent_port))
    assert caught.value.reason is Reason.TIMEOUT


def test_every_kind_of_answer_is_understood(valkey_port, client):
    client.rpush("list", b"a", b"\r\n\xff", "é")
    connection = RedisConnection("127.0.0.1", valkey_port, timeout_seconds=1.0)
    assert connection.call("PING") == b"PONG"
    assert connection.call("LLEN", "list") == 3
    assert connection.call("LRANGE", "list", "0", "-1") == [b"a", b"\r\n\xff", "é".encode()]
    assert connection.call("GET", "nothing") is None
    refused, length = connection.call_many(("LLEN",), ("LLEN", "list"))
    assert isinstance(refused, CommandRefused)
    assert length == 3
    connection.close()


def test_an_answer_that_would_fill_our_memory_is_refused(valkey_port, client):
    client.set("huge", b"x" * (17 << 20))
    connection = RedisConnection("127.0.0.1", valkey_port, timeout_seconds=5.0)
    with pytest.raises(UpstreamError, match="more than"):
        connection.call("GET", "huge")
