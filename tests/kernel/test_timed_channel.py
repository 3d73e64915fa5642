"""A request that trickles is cut in time; a connection that is used is kept."""

import contextlib
import http.client
import socket
import subprocess
import sys
import time

import pytest

from tests.ports import can_connect, free_port
from tests.waiting import wait_until

REQUEST_SECONDS = 4
SERVE = f"""
import sys
from watchkeeper import serving, timed_channel
serving.IDLE_CONNECTION_SECONDS = 10
timed_channel.REQUEST_SECONDS = {REQUEST_SECONDS}
serving.Service("example", import_name="example").run("localhost:" + sys.argv[1])
"""
TRICKLES = {
    "head": (b"GET / HTTP/1.1\r\n", b"X-A: b\r\n"),
    "body": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n", b"x"),
    "empty lines": (b"", b"\r\n\r\n"),
}
pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def port():
    """Of a service that gives a request four seconds."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port)])
    wait_until(lambda: can_connect(port), what="the service listens")
    yield port
    process.terminate()
    process.wait(60)


def is_cut(client, drop):
    """Send one more drop; return whether the service has hung up."""
    try:
        client.sendall(drop)
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_requests_that_trickle_are_cut(port):
    with contextlib.ExitStack() as stack:
        clients = {}
        for name, (beginning, _) in TRICKLES.items():
            clients[name] = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            clients[name].sendall(beginning)
            clients[name].settimeout(0.05)

        def cut():
            for name in [one for one in clients if is_cut(clients[one], TRICKLES[one][1])]:
                del clients[name]
            return not clients

        wait_until(cut, what="all three are cut")


def test_a_connection_that_is_used_is_kept_for_longer_than_a_request_may_take(port):
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    kept.connect()
    ours, until = kept.sock, time.monotonic() + 2 * REQUEST_SECONDS

    def used_long_enough():
        kept.request("GET", "/healthz")
        assert kept.getresponse().read()
        assert kept.sock is ours
        return time.monotonic() > until

    wait_until(used_long_enough, what="twice the time of a request")
    kept.close()
