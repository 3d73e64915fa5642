"""One deadline and one size for a whole answer, in every client of the kernel."""

from __future__ import annotations

import gzip
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.kernel.dripping import BODY, HEAD, dripping
from watchkeeper import deadline
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.http_session import HTTPSession
from watchkeeper.outbound import EgressPolicy, send
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient

LOOPBACK = EgressPolicy.parse(["127.0.0.0/8"])
SECONDS = 0.5

CLIENTS = {
    "peer": lambda url: Peer("alerting", base_url=url, timeout_seconds=SECONDS).get("/"),
    "prometheus": lambda url: PrometheusClient(url, timeout_seconds=SECONDS).query("up"),
    "outbound": lambda url: send("GET", url, policy=LOOPBACK, timeout_seconds=SECONDS),
}


@pytest.mark.parametrize("first", [HEAD, BODY], ids=["head", "body"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_that_drips_is_given_up_on_by_every_client(client, first):
    with dripping(first) as url, pytest.raises(UpstreamError) as caught:
        CLIENTS[client](url)
    assert caught.value.reason is Reason.TIMEOUT


@pytest.mark.parametrize("first", [HEAD, BODY], ids=["head", "body"])
def test_a_server_that_drips_is_not_ready(first):
    with dripping(first) as url:
        assert not PrometheusClient(url, timeout_seconds=SECONDS).is_ready()
        assert not Peer("alerting", base_url=url, timeout_seconds=SECONDS).is_ready()


@pytest.fixture
def serve():
    """Return a function that serves a body with headers on loopback and gives the URL."""
    servers = []

    def start(body: bytes, **headers: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.server.clients.add(self.client_address)
                self.send_response(int(headers.get("status", "200")))
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.clients = set()
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/"

    start.servers = servers
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def asked(url: str, limit_bytes: int, session: HTTPSession | None = None, **options):
    return (session or HTTPSession()).ask(
        "GET", url, name="it", timeout_seconds=60.0, limit_bytes=limit_bytes, **options
    )


def test_an_answer_may_be_as_long_as_the_limit_and_no_longer(serve):
    url = serve(b"x" * 1000)
    assert asked(url, 1000).body == b"x" * 1000
    assert asked(url, 999, is_cut=True).body == b"x" * 999
    with pytest.raises(UpstreamError, match="it answered with more than 999 bytes") as caught:
        asked(url, 999)
    assert caught.value.reason is Reason.BAD_ANSWER


def test_the_limit_is_of_what_an_answer_holds_once_it_is_decompressed(serve):
    packed = gzip.compress(b" " * 1_000_000)
    url = serve(packed, Content_Encoding="gzip")
    assert len(packed) < 10_000
    assert asked(url, 1_000_000).body == b" " * 1_000_000
    with pytest.raises(UpstreamError, match="more than 10000 bytes"):
        asked(url, 10_000)


def test_what_is_not_gzip_as_it_says_is_a_bad_answer(serve):
    with pytest.raises(UpstreamError, match="another encoding") as caught:
        asked(serve(b"\x1f\x8bgarbage", Content_Encoding="gzip"), 1000)
    assert caught.value.reason is Reason.BAD_ANSWER


@pytest.mark.parametrize("location", ["https://elsewhere.example/", "http://[", "//"])
def test_a_redirect_is_an_answer_whose_body_is_limited_too(serve, location):
    url = serve(gzip.compress(b" " * 100_000), status="307", Location=location,
                Content_Encoding="gzip")  # fmt: skip
    answer = asked(url, 100, is_cut=True)
    assert (answer.status, answer.headers["location"], len(answer.body)) == (307, location, 100)


def test_a_connection_is_kept_for_the_next_answer(serve):
    url = serve(b"x" * 200_000)
    session = HTTPSession()
    for _ in range(3):
        assert len(asked(url, 200_000, session).body) == 200_000
    assert len(serve.servers[0].clients) == 1


def reader_of(sock: socket.socket):
    sock.settimeout(1e-9)  # over at once: as when the process was stopped after it asked
    return deadline._Response(sock)


def test_an_answer_that_arrived_in_time_is_taken_however_late_we_look():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        answer = reader_of(ours)
        answer.begin()
        assert answer.read() == b"ok"


def test_an_answer_that_had_not_arrived_is_late():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok")
        answer = reader_of(ours)
        answer.begin()
        with pytest.raises(TimeoutError):
            answer.read()
