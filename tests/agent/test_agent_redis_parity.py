"""Beside Debian's redis_exporter: one server of every role, read by both within moments."""

import contextlib
import urllib.request
from pathlib import Path

import pytest
import redis

import agent
from agent.collectors.redis import RedisCollector
from agent.text import Renderer, TextFormat, text_of
from benchmarks import exporters
from benchmarks.scraped import Scraped
from tests.agent.redis_servers import serving, watching
from tests.agent.told import Told
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.live

DOCUMENT = (Path(agent.__file__).parents[1] / "docs" / "agent-queues.md").read_text()

ABOUT_ITSELF = ("redis_exporter_", "redis_target_", "redis_last_key_groups_", "redis_up")
"""What the exporter says of itself and its scrapes; ours says that under ``watchkeeper_``."""

LEFT_OUT = {"redis_db_keys_cached"}
"""Families that ours does not have; docs/agent-queues.md says why."""

MOVES_WITH_EVERY_QUESTION = (
    "redis_commands_", "redis_net_", "redis_total_", "redis_memory_", "redis_allocator_",
    "redis_mem_", "redis_cpu_", "redis_connections_", "redis_client_", "redis_connected_clients",
    "redis_aof_buffer_length", "redis_uptime_in_seconds", "redis_errors_total",
    "redis_cluster_messages", "redis_cluster_stats", "redis_tracking_clients",
    "redis_slowlog", "redis_last_slow", "redis_io_threaded",
)  # fmt: skip
"""What asking itself moves: held to lie between the exporter's readings before and after ours."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """The port of a server of each role."""
    home = tmp_path_factory.mktemp("redis")
    with contextlib.ExitStack() as stack:
        primary, _ = stack.enter_context(
            serving(home / "primary", "--latency-monitor-threshold", "1")
        )
        replicaof = f"127.0.0.1 {primary}"
        replica, _ = stack.enter_context(serving(home / "replica", "--replicaof", replicaof))
        node, _ = stack.enter_context(
            serving(home / "node", "--cluster-enabled", "yes", port=port_of_a_node())
        )
        sentinel = stack.enter_context(watching(home / "sentinel", primary))
        busy(primary)
        with redis.Redis(port=replica) as client:
            wait_until(
                lambda: client.info("replication")["master_link_status"] == "up",
                what="the replica being connected",
            )
        with redis.Redis(port=sentinel) as client:
            wait_until(lambda: sees_a_replica(client), what="the sentinel seeing the replica")
        yield {"primary": primary, "replica": replica, "cluster": node, "sentinel": sentinel}


def port_of_a_node():
    """A free port, such that the one of the cluster's bus, 10000 above, is one, too."""
    return free_port()


def sees_a_replica(client):
    return client.info("sentinel")["master0"]["slaves"] == 1


def busy(port):
    """Have something of every kind to tell of."""
    with redis.Redis(port=port) as client:
        for number in range(50):
            client.set(f"key{number}", "x" * 100, ex=1000 + number)
            client.get(f"key{number}")
        client.get("nothing")
        client.eval("local n = 0; for i = 1, 3000000 do n = n + i end; return n", 0)
        client.config_set("slowlog-log-slower-than", 1000)
        client.eval("local n = 0; for i = 1, 3000000 do n = n + i end; return n", 0)
        with contextlib.suppress(redis.ResponseError):
            client.execute_command("LPUSH")


@pytest.fixture(scope="module")
def exporter():
    program = exporters.find_one("prometheus-redis-exporter", exporters.CACHE)
    port = free_port()
    command = [str(program), f"-web.listen-address=127.0.0.1:{port}", "-redis.addr="]
    process = Scraped(program.name, command, port)
    process.wait_until_it_answers()
    yield port
    process.stop()


@pytest.fixture(scope="module", params=["primary", "replica", "cluster", "sentinel"])
def told(request, exporter, servers):
    """(theirs before, ours, theirs after) of one server."""
    port = servers[request.param]
    url = f"http://127.0.0.1:{exporter}/scrape?target=redis://127.0.0.1:{port}"

    def theirs():
        with urllib.request.urlopen(url, timeout=10) as answer:
            return Told.read(answer.read().decode())

    collector = RedisCollector(host="127.0.0.1", port=port, user=None, password="")
    list(collector.collect())  # the connection is there, as it is in an agent at work
    before = theirs()
    families = list(collector.collect())
    after = theirs()
    collector.close()
    text = text_of(Renderer().render(families), TextFormat.PROMETHEUS).decode()
    return before, Told.read(text), after


def test_every_family_of_the_exporter_is_ours_too_with_its_type(told):
    before, ours, after = told
    theirs = before.names(ABOUT_ITSELF) & after.names(ABOUT_ITSELF)
    missing = theirs - ours.names() - LEFT_OUT
    assert not missing, "\n".join(sorted(missing))
    both = before.types.keys() & ours.types.keys()
    assert len(both) > 60
    assert {name: before.types[name] for name in both} == {name: ours.types[name] for name in both}


def test_nothing_stands_under_the_exporters_names_that_it_would_not_tell(told):
    before, ours, after = told
    assert ours.names(ABOUT_ITSELF) <= before.names() | after.names()


def test_every_family_has_the_exporters_labels(told):
    before, ours, _ = told
    both = before.names() & ours.names()
    theirs = {name: before.label_names(name) for name in both}
    assert {name: ours.label_names(name) for name in both} == theirs


def test_values_agree_when_read_at_the_same_time(told):
    before, ours, after = told
    checked, different = 0, {}
    for (name, labels), value in ours.values.items():
        series = (name, without_server(labels))
        if name.startswith(ABOUT_ITSELF) or series not in before.values:
            continue
        low, high = sorted((before.values[series], after.values.get(series, value)))
        moves = name.startswith(MOVES_WITH_EVERY_QUESTION)
        tolerance = max(1.0, abs(high) * (0.5 if moves else 0.02))
        if name.startswith("redis_latency_percentiles_usec"):
            continue  # of a handful of calls, one more moves every percentile
        checked += 1
        if not low - tolerance <= value <= high + tolerance:
            different[series] = (low, value, high)
    assert checked > 60
    assert not different


def without_server(labels):
    return frozenset((name, value) for name, value in labels if name != "server")


def test_every_family_left_out_is_documented():
    assert all(name in DOCUMENT for name in LEFT_OUT)
