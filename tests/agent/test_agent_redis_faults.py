"""Whatever happens to a server is told by one clear reason, and it is watched again afterwards."""

import threading

import pytest
import redis

from agent.collector import CollectionFailed
from agent.collectors.redis import RedisCollector
from tests.agent.redis_servers import serving
from tests.ports import free_port
from tests.waiting import wait_until
from watchkeeper.errors import Reason

pytestmark = pytest.mark.live


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as (port, _):
        yield port


def collector_of(port, *, password="", user=None):
    return RedisCollector(
        host="127.0.0.1", port=port, user=user, password=password, timeout_seconds=1.0
    )


def told(collector):
    """redis_up and, where the run failed, its reason."""
    try:
        families = list(collector.collect())
    except CollectionFailed as failure:
        families, reason = failure.families, failure.reason
    else:
        reason = None
    (up,) = (family.samples[0][1] for family in families if family.metric.name == "redis_up")
    return up, reason


def connections_of_ours(port):
    with redis.Redis(port=port) as client:
        return [entry["name"] for entry in client.client_list()].count("watchkeeper-agent")


def test_a_server_that_was_killed_is_watched_again_when_it_is_back(tmp_path):
    port = free_port()
    collector = collector_of(port)
    with serving(tmp_path, port=port) as (_, process):
        assert told(collector) == (1, None)
        process.kill()
        process.wait(20)
        assert told(collector) == (0, Reason.CONNECTION)
        assert told(collector) == (0, Reason.CONNECTION)
    with serving(tmp_path, port=port):
        assert told(collector) == (1, None)
        assert connections_of_ours(port) == 1
    collector.close()


def test_a_password_that_is_set_while_we_have_none_is_a_matter_of_authentication(server):
    with redis.Redis(port=server) as client:
        client.config_set("requirepass", "secret")
        assert told(collector_of(server)) == (0, Reason.AUTHENTICATION)
        knowing = collector_of(server, password="secret")
        assert told(knowing) == (1, None)
        client.config_set("requirepass", "")
    knowing.close()


def test_a_user_who_may_not_even_ask_for_info_is_told_from_a_wrong_password(server):
    with redis.Redis(port=server) as client:
        client.acl_setuser("blind", enabled=True, passwords=["+pw"], commands=["+ping"])
    collector = collector_of(server, user="blind", password="pw")
    assert told(collector) == (0, Reason.PERMISSION)
    with redis.Redis(port=server) as client:
        client.acl_setuser("blind", commands=["+info"])
    assert told(collector) == (1, None)
    assert connections_of_ours(server) == 0  # it may not name itself, and is watched all the same
    collector.close()


def test_a_server_that_a_script_blocks_is_busy_and_its_connection_is_kept(server):
    collector = collector_of(server)
    assert told(collector) == (1, None)
    with redis.Redis(port=server) as client:
        client.config_set("busy-reply-threshold", 10)
        script = threading.Thread(target=run_for_ever, args=(server,))
        script.start()
        try:
            wait_until(lambda: told(collector) == (0, Reason.BUSY), what="the server being busy")
        finally:
            client.script_kill()
            script.join(20)
    assert told(collector) == (1, None)
    assert connections_of_ours(server) == 1
    collector.close()


def run_for_ever(port):
    with redis.Redis(port=port) as client, pytest.raises(redis.ResponseError):
        client.eval("while true do end", 0)


def test_a_server_that_loads_its_data_tells_what_it_can(tmp_path):
    with (
        serving(tmp_path, "--rdbcompression", "no") as (port, _),
        redis.Redis(port=port) as client,
    ):
        client.mset({f"key{number}": "x" * 1000 for number in range(2000)})
        client.save()
    # A pause of 10 ms a key, with questions let in between two keys.
    slow = ("--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024")
    with serving(tmp_path, *slow) as (port, _):
        collector = collector_of(port)
        loading = {
            family.metric.name: family.samples[0][1]
            for family in collector.collect()
            if family.metric.name in ("redis_up", "redis_loading_dump_file")
        }
        collector.close()
        assert loading == {"redis_up": 1, "redis_loading_dump_file": 1}
