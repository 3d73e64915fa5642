"""Outbound calls go only where they were checked to go."""

import http.server
import socket
import threading

import pytest

from watchkeeper import outbound
from watchkeeper.errors import EgressRefused, NeverSent, Reason, UpstreamError
from watchkeeper.outbound import EgressPolicy, check_destination, send

CLOSED = EgressPolicy()
LOOPBACK = EgressPolicy.parse(["127.0.0.0/8"])

FORBIDDEN = [
    "http://127.0.0.1/", "http://10.1.2.3/", "http://100.64.0.1/", "http://169.254.169.254/",
    "http://172.16.0.1/", "http://192.168.1.1/", "http://192.88.99.1/", "http://224.0.0.1/",
    "http://0.0.0.0/", "http://2130706433/", "http://0177.0.0.1/", "http://0x7f.1/",
    "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://[fe80::1]/", "http://[fc00::1]/", "http://[fec0::1]/",
    "http://[5f00::1]/", "http://[3fff::1]/", "http://[ff02::1]/", "http://localhost/",
]  # fmt: skip


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers["Host"], body))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
        elif self.path == "/silent":
            self.server.release.wait(10)
            return
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            while not self.server.release.wait(0.02):
                self.wfile.write(b".")
            return
        elif self.path == "/hang-up":
            self.close_connection = True
            return
        else:
            self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.seen = []
    server.release = threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()


def address_of(server, path="/"):
    return f"http://127.0.0.1:{server.server_port}{path}"


@pytest.mark.parametrize("url", FORBIDDEN)
def test_a_forbidden_address_is_refused_however_it_is_spelled(url):
    with pytest.raises(EgressRefused):
        check_destination(url, CLOSED)


@pytest.mark.parametrize("url", ["ftp://example.org/", "file:///etc/passwd", "http:///x", "//x"])
def test_only_http_with_a_host_is_called(url):
    with pytest.raises(EgressRefused, match="http or https"):
        check_destination(url, CLOSED)


def test_credentials_in_a_url_are_refused_and_not_repeated():
    with pytest.raises(EgressRefused) as caught:
        check_destination("http://user:hunter2@8.8.8.8/", CLOSED)
    assert "hunter2" not in str(caught.value)


def test_a_public_address_is_allowed():
    assert str(check_destination("http://8.8.8.8/", CLOSED)) == "8.8.8.8"


def test_one_forbidden_answer_among_several_refuses_the_name(monkeypatch):
    answers = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("8.8.8.8", "10.0.0.1")
    ]
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(EgressRefused, match=r"10\.0\.0\.1"):
        check_destination("http://mixed.example/", CLOSED)


def test_a_name_is_resolved_once_so_it_cannot_be_rebound(monkeypatch, receiver):
    look_ups = []
    real = socket.getaddrinfo

    def rebinding(host, port, *rest, **options):
        if host == "rebind.example":
            look_ups.append(host)
            return real("127.0.0.1" if len(look_ups) == 1 else "10.0.0.1", port, *rest, **options)
        return real(host, port, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = f"http://rebind.example:{receiver.server_port}/hook"
    answer = send("POST", url, policy=LOOPBACK, body=b"x")
    assert answer.status == 200
    assert look_ups == ["rebind.example"]
    assert receiver.seen == [("/hook", f"rebind.example:{receiver.server_port}", b"x")]


def test_an_allowed_host_name_may_be_private(receiver):
    policy = EgressPolicy.parse(["LOCALHOST", "127.0.0.1/32"])
    url = f"http://localhost:{receiver.server_port}/"
    assert policy.permits("localhost", check_destination(url, policy))


def test_a_redirect_is_returned_and_not_followed(receiver):
    answer = send("POST", address_of(receiver, "/moved"), policy=LOOPBACK, body=b"x")
    assert answer.status == 302
    assert len(receiver.seen) == 1


def test_proxy_variables_are_ignored(monkeypatch, receiver):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    assert send("POST", address_of(receiver), policy=LOOPBACK, body=b"x").text == "ok"


def test_a_receiver_that_never_answers_is_a_timeout(receiver):
    with pytest.raises(UpstreamError) as caught:
        send("POST", address_of(receiver, "/silent"), policy=LOOPBACK, body=b"x",
             timeout_seconds=0.2)  # fmt: skip
    assert caught.value.reason is Reason.TIMEOUT


def test_a_receiver_that_drips_its_answer_for_ever_is_a_timeout(receiver):
    url = f"http://127.0.0.1:{receiver.server_address[1]}/drip"
    with pytest.raises(UpstreamError) as caught:
        send("POST", url, policy=LOOPBACK, body=b"x", timeout_seconds=0.3)
    assert caught.value.reason is Reason.TIMEOUT


def test_a_closed_port_means_nothing_was_sent():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(NeverSent):
            send("POST", f"http://127.0.0.1:{held.getsockname()[1]}/", policy=LOOPBACK, body=b"x")


def test_a_receiver_that_hangs_up_leaves_the_outcome_unknown(receiver):
    with pytest.raises(UpstreamError) as caught:
        send("POST", address_of(receiver, "/hang-up"), policy=LOOPBACK, body=b"x")
    assert not isinstance(caught.value, NeverSent)
    assert caught.value.reason is Reason.CONNECTION
