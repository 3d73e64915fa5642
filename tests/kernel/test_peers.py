"""Calling our own services: what they answer, and every way they may not."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.peers import Peer

ANSWERS = {
    "/good/readyz": (200, b'{"status": "ready", "reasons": {}}'),
    "/busy/readyz": (503, b'{"reasons": {"database": "cannot be written"}}'),
    "/proxy/readyz": (503, b"<html>no upstream</html>"),
    "/odd/readyz": (418, b'{"reasons": {}}'),
    "/good/json": (200, b'{"a": 1}'),
    "/good/html": (200, b"<html>"),
    "/good/empty": (200, b""),
    "/good/moved": (308, b""),
    "/good/missing": (404, b'{"error": "no such thing"}'),
}


@pytest.fixture(scope="module")
def server_url():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = ANSWERS[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 308:
                self.send_header("Location", "https://elsewhere.example/secret-path")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # the library's name

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def peer(server_url, which="good"):
    return Peer("alerting", base_url=f"{server_url}/{which}")


def test_an_answer_is_its_json(server_url):
    assert peer(server_url).get("/json") == {"a": 1}
    assert peer(server_url).get("/empty") is None


def test_an_answer_that_is_not_json_is_named_as_such(server_url):
    with pytest.raises(UpstreamError, match="alerting answered 200 without JSON") as caught:
        peer(server_url).get("/html")
    assert caught.value.reason is Reason.BAD_ANSWER


def test_a_refusal_carries_its_status(server_url):
    with pytest.raises(UpstreamError, match="no such thing") as caught:
        peer(server_url).get("/missing")
    assert caught.value.status == 404


def test_a_redirect_is_not_taken_for_a_delivery(server_url):
    expected = r"^alerting answered 308 with a redirect to elsewhere\.example: $"
    with pytest.raises(UpstreamError, match=expected) as caught:
        peer(server_url).post("/moved")
    assert (caught.value.reason, caught.value.status) == (Reason.HTTP_STATUS, 308)


def test_a_ready_service_has_no_reasons_against_it(server_url):
    assert peer(server_url).readiness() == {}


def test_a_service_that_is_not_ready_says_why(server_url):
    assert peer(server_url, "busy").readiness() == {"database": "cannot be written"}


@pytest.mark.parametrize("which", ["proxy", "odd"])
def test_a_stranger_at_the_address_is_not_taken_for_our_service(server_url, which):
    with pytest.raises(UpstreamError):
        peer(server_url, which).readiness()


def test_nobody_at_the_address_is_a_connection_problem():
    with pytest.raises(UpstreamError, match="cannot be reached") as caught:
        Peer("agent", base_url="http://127.0.0.1:9", timeout_seconds=1).readiness()
    assert caught.value.reason is Reason.CONNECTION
