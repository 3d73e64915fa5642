from contextlib import contextmanager

import pytest

from watchkeeper.instrument.cache import CacheMetrics
from watchkeeper.instrument.database import DatabaseMetrics
from watchkeeper.instrument.http_client import HttpClientMetrics
from watchkeeper.instrument.pools import PoolMetrics

POOL = {"service": "shop", "db_client_connection_pool_name": "main"}


class SmallPool:
    """A pool in the shape of psycopg_pool's, small enough to see into."""

    name = "main"

    def __init__(self, stats, error=None):
        self._stats = stats
        self._error = error

    def get_stats(self):
        if isinstance(self._stats, Exception):
            raise self._stats
        return self._stats

    @contextmanager
    def connection(self):
        if self._error:
            raise self._error
        yield "a connection"


@pytest.fixture
def pools(registry, guard):
    return PoolMetrics("shop", registry, guard)


def state(registry, name):
    labels = {**POOL, "db_client_connection_state": name}
    return registry.get_sample_value("db_client_connection_count", labels)


def test_a_pool_tells_its_connections_callers_and_time_outs(pools, registry):
    stats = {
        "pool_size": 5,
        "pool_available": 2,
        "pool_max": 8,
        "requests_waiting": 1,
        "requests_errors": 3,
    }
    pools.watch(SmallPool(stats))
    assert (state(registry, "idle"), state(registry, "used")) == (2, 3)
    assert registry.get_sample_value("db_client_connection_max", POOL) == 8
    assert registry.get_sample_value("db_client_connection_pending_requests", POOL) == 1
    assert registry.get_sample_value("db_client_connection_timeouts_total", POOL) == 3


def test_one_pool_that_cannot_be_asked_does_not_hide_the_others(pools, registry):
    broken = SmallPool(RuntimeError("closed"))
    broken.name = "broken"
    pools.watch(broken)
    pools.watch(SmallPool({"pool_size": 1, "pool_available": 1}))
    assert state(registry, "idle") == 1


def test_waiting_for_a_connection_is_measured(pools, registry):
    with pools.connection(SmallPool({})) as connection:
        assert connection == "a connection"
        waited = registry.get_sample_value("db_client_connection_wait_time_seconds_count", POOL)
        assert waited == 1


def test_waiting_in_vain_is_measured_too_and_the_error_is_the_callers(pools, registry):
    with (
        pytest.raises(TimeoutError),
        pools.connection(SmallPool({}, error=TimeoutError("no connection"))),
    ):
        pytest.fail("there was no connection")
    waited = registry.get_sample_value("db_client_connection_wait_time_seconds_count", POOL)
    assert waited == 1


def test_a_failing_query_is_timed_and_still_fails(registry, guard):
    database = DatabaseMetrics("shop", registry, guard)
    with pytest.raises(LookupError), database.operation("find order"):
        raise LookupError
    labels = {"service": "shop", "db_system_name": "postgresql", "db_operation_name": "find order"}
    assert registry.get_sample_value("db_client_operation_duration_seconds_count", labels) == 1


def test_a_cache_tells_hits_misses_and_latency(registry, guard):
    cache = CacheMetrics("shop", registry, guard).of("menu", level="memory")
    cache.count("miss")
    cache.count("hit")
    cache.count("hit")
    with cache.timing("get"):
        pass
    labels = {"service": "shop", "cache": "menu", "level": "memory"}
    hits = registry.get_sample_value("cache_requests_total", {**labels, "result": "hit"})
    timed = registry.get_sample_value(
        "cache_operation_seconds_count", {**labels, "operation": "get"}
    )
    assert (hits, timed) == (2, 1)


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [(200, None, ("200", "")), (None, ConnectionRefusedError(), ("", "ConnectionRefusedError"))],
)
def test_an_outgoing_call_is_told_by_its_status_or_its_error(registry, guard, status, error, told):
    client = HttpClientMetrics("shop", registry, guard)

    def call():
        with client.calling("bakery", "GET") as made:
            if error:
                raise error
            made.status = status

    if error:
        with pytest.raises(type(error)):
            call()
    else:
        call()
    labels = {
        "service": "shop",
        "server_address": "bakery",
        "http_request_method": "GET",
        "http_response_status_code": told[0],
        "error_type": told[1],
    }
    assert registry.get_sample_value("http_client_request_duration_seconds_count", labels) == 1
